//! Own material: places that are the organisation's, and places that say they are.
//!
//! Two errors are possible, and neither is small. A notice against one's own repository, or against forks of what one
//! publishes, takes down what may stand, and has to be taken back in public. A leak that is passed over since a manifest
//! in it has the right name stays out. What decides between them is who says so:
//!
//! - **Content in a `--public` set** is public whoever holds it. A place where nothing matches beyond that is `own-public`: own
//!   repositories, published bundles, their unchanged forks. That is judged content by content (see
//!   [`public`](crate::scan::public)), so a fork with one leaked file more is a copy of that file.
//! - **An address that was recorded** (`origin`, certainty `proven`, contradicted by nothing) and that the profile names
//!   under `repositories` or `domains`: somebody saw it there, and there the organisation decides what stands.
//!   Such a place is `own-public`, whatever it matches; what it should not hold is told as exposures and matches all the
//!   same. A package from a registry is own material in the same way, where the profile names the place of its scope there.
//! - **What a place says of itself** hides nothing: the name of a package, its `repository`, the remote of a clone. A
//!   mirror copies the manifest with the rest, and whoever hides a leak may write one. Such a place stays a copy or a
//!   suspect, and `claims_own` says what it claims, so that a person looks before a notice goes out. The vendor's own
//!   package that leaked is one of these: it holds the leak, and is not public because it was published.
//!
//! Only what stands at the root itself counts: a dependency of a place is not the place.

use std::collections::BTreeMap;

use super::super::roots::Root;
use super::super::store::{Case, CaseError};
use crate::exposure::Organisation;
use crate::record::{Certainty, Origin, OriginBy, Package, Record};

/// Which roots are own material, or say so.
#[derive(Default)]
pub(super) struct Own {
    /// Address by root.
    recorded: BTreeMap<String, String>,
    /// What is claimed by root.
    claims: BTreeMap<String, String>,
}

impl Own {
    /// The recorded address of a root that is the organisation's.
    pub(super) fn address(&self, root: &str) -> Option<&str> {
        self.recorded.get(root).map(String::as_str)
    }

    /// What a root says that would make it the organisation's.
    pub(super) fn claim(&self, root: &str) -> Option<&str> {
        self.claims.get(root).map(String::as_str)
    }

    fn add_claim(&mut self, root: String, claim: String) {
        let held = self.claims.entry(root).or_default();
        if !held.is_empty() {
            held.push_str("; ");
        }
        held.push_str(&claim);
    }

    fn add_package(&mut self, package: &Package, organisation: &Organisation) {
        if organisation.owns_package(&package.name) {
            let claim = format!("its package is called {}", package.name);
            self.add_claim(package.locator.clone(), claim);
        }
        let repository = package.repository.as_deref();
        if let Some(url) = repository.filter(|url| organisation.owns_repository(url)) {
            let claim = format!("its package names the repository {url}");
            self.add_claim(package.locator.clone(), claim);
        }
    }

    fn add_origin(&mut self, origin: &Origin, organisation: &Organisation) {
        let url = origin.url.as_deref();
        let Some(url) = url.filter(|url| organisation.owns_repository(url)) else {
            return;
        };
        if origin.certainty == Certainty::Proven && origin.contradicted_by.is_empty() {
            self.recorded.insert(origin.locator.clone(), url.to_owned());
            return;
        }
        let claim = match origin.by {
            OriginBy::GitRemote => format!("its git remote is {url}"),
            // Told by the package itself.
            OriginBy::PackageMetadata => return,
            OriginBy::Acquisition | OriginBy::Origins => {
                format!("it is listed as {url}, and something contradicts that")
            }
        };
        self.add_claim(origin.locator.clone(), claim);
    }
}

impl Case {
    /// Which roots are own material, or say so.
    pub(super) fn own_places(
        &self,
        organisation: Option<&Organisation>,
        roots: &BTreeMap<String, Root>,
    ) -> Result<Own, CaseError> {
        let mut own = Own::default();
        let Some(organisation) = organisation else {
            return Ok(own);
        };
        let mut packages = self.packages_at(roots)?;
        packages.sort_by(|a, b| (&a.locator, &a.name).cmp(&(&b.locator, &b.name)));
        for package in &packages {
            own.add_package(package, organisation);
        }
        let mut origins = Vec::new();
        for (_, record) in self.records_of_type("origin")? {
            if let Record::Origin(origin) = record
                && roots.contains_key(&origin.locator)
            {
                origins.push(origin);
            }
        }
        origins.sort_by(|a, b| (&a.locator, a.by, &a.url).cmp(&(&b.locator, b.by, &b.url)));
        for origin in &origins {
            own.add_origin(origin, organisation);
        }
        // Where an archive was got from, what lies in it was.
        for (locator, root) in roots {
            let archive = root.archive.as_ref();
            if let Some(address) = archive.and_then(|archive| own.recorded.get(archive)) {
                own.recorded.insert(locator.clone(), address.clone());
            }
        }
        Ok(own)
    }

    /// The packages that are a root as a whole.
    fn packages_at(&self, roots: &BTreeMap<String, Root>) -> Result<Vec<Package>, CaseError> {
        let mut packages = Vec::new();
        for (_, record) in self.records_of_type("package")? {
            if let Record::Package(package) = record
                && roots.contains_key(&package.locator)
            {
                packages.push(*package);
            }
        }
        Ok(packages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Hops;

    fn origin(locator: &str, url: &str, by: OriginBy, certainty: Certainty) -> Origin {
        Origin::said(locator, Hops::default(), url, by, certainty)
    }

    #[test]
    fn only_what_was_recorded_makes_a_place_own() {
        let organisation = Organisation::parse(
            "name = \"Acme\"\nrepositories = [\"code.example/acme\", \"packages.example/@acme\"]\n",
            "acme.toml",
        )
        .unwrap();
        let mut own = Own::default();
        let recorded = Certainty::Proven;
        let url = "https://code.example/acme/sdk";
        let mut contradicted = origin("d", url, OriginBy::Origins, recorded);
        contradicted
            .contradicted_by
            .push("its git remote".to_owned());
        for row in [
            origin("a", url, OriginBy::Origins, recorded),
            origin(
                "b",
                "https://code.example/acme-mirror/sdk",
                OriginBy::Origins,
                recorded,
            ),
            origin("c", url, OriginBy::GitRemote, Certainty::Hint),
            contradicted,
            origin(
                "e",
                "https://packages.example/@acme/sdk/-/sdk-1.0.0.tgz",
                OriginBy::Acquisition,
                recorded,
            ),
        ] {
            own.add_origin(&row, &organisation);
        }
        let own_ones = ["a", "b", "c", "d", "e"].map(|root| own.address(root).is_some());
        assert_eq!(own_ones, [true, false, false, false, true]);
        let claims = ["a", "b", "c", "d"].map(|root| own.claim(root));
        assert_eq!(
            claims,
            [
                None,
                None,
                Some("its git remote is https://code.example/acme/sdk"),
                Some(
                    "it is listed as https://code.example/acme/sdk, and something contradicts that"
                ),
            ]
        );
    }
}
