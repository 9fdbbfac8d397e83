//! Whose a recovered source is, judged by its name, the nearest manifest and the organisation's profile.
//!
//! Bundlers write the way to each module into `sources`, and that way tells most of it: `node_modules` layouts of npm,
//! pnpm, Bun and Yarn name the package, URLs name a host, `webpack://NAME/` names the build. The rules err to one
//! side only: nothing that could be the organisation's own is ever called third party, because a third-party source is
//! not looked at again. So a package of the organisation's scope under `node_modules` is first party, and an ignore
//! list, which the owner of a build may fill as he likes, never outweighs ownership.
//!
//! Left out: comparing content with public packages. That is a join over the whole input and refines this answer.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;

use super::manifest::Manifest;
use super::profile::Organisation;
use super::shown;
use crate::record::Party;

/// Whose a source is, and why that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyVerdict {
    /// The answer.
    pub party: Party,
    /// The reason in words, safe to print.
    pub reason: String,
    /// The source is the organisation's, but not part of the nearest package: that manifest's licence does not speak
    /// for it.
    pub outside_manifest: bool,
}

impl PartyVerdict {
    fn new(party: Party, reason: impl Into<String>) -> PartyVerdict {
        PartyVerdict {
            party,
            reason: reason.into(),
            outside_manifest: false,
        }
    }

    fn outside(mut self, outside: bool) -> PartyVerdict {
        self.outside_manifest = outside;
        self
    }
}

/// Judges one source.
///
/// `source_name` is `sources[i]` as it stands in the map (or a path of another carrier), `package` the nearest manifest,
/// `ignored` whether the map's `ignoreList` names it (ECMA-426, section 8).
pub fn party_of(
    source_name: &[u8],
    package: Option<&Manifest>,
    org: Option<&Organisation>,
    ignored: bool,
) -> PartyVerdict {
    let name = SourceName::parse(source_name);
    if let Some(dependency) = name.dependency() {
        return party_of_dependency(&dependency, package, org);
    }
    if name.is_bundler_runtime() {
        return PartyVerdict::new(Party::Third, "bundler runtime");
    }
    let verdict =
        party_by_address(&name, package, org).unwrap_or_else(|| own_sources(package, org));
    // Without a profile nobody is known to own anything; with one, what it owns stays first party.
    let owned = org.is_some() && verdict.party == Party::First;
    if ignored && !owned {
        return PartyVerdict::new(Party::Third, "listed in ignoreList");
    }
    verdict
}

/// The package that a source lies in by its name, and its version where the layout names that. `None` where no package
/// manager's layout is in the name.
pub fn package_of_source(source_name: &[u8]) -> Option<(String, Option<String>)> {
    let name = SourceName::parse(source_name);
    let dependency = name.dependency()?;
    // `.vite/deps` and the like hold packages, and name none.
    let is_name = !dependency.name.is_empty() && dependency.name != "@";
    is_name.then(|| (dependency.name.into_owned(), dependency.version))
}

/// A package under `node_modules` or in a package manager's store.
fn party_of_dependency(
    dependency: &Dependency<'_>,
    package: Option<&Manifest>,
    org: Option<&Organisation>,
) -> PartyVerdict {
    let name = dependency.name.as_ref();
    let quoted = match &dependency.version {
        Some(version) => format!("{} {}", shown(name.as_bytes()), shown(version.as_bytes())),
        None => shown(name.as_bytes()),
    };
    let itself = package.is_some_and(|package| package.name == name);
    if org.is_some_and(|org| dependency.is_owned(org)) {
        return PartyVerdict::new(
            Party::First,
            format!(
                "package of the organisation below {}: {quoted}",
                dependency.below
            ),
        )
        .outside(!itself);
    }
    let same_scope = package.and_then(Manifest::scope).is_some_and(|scope| {
        name.strip_prefix(scope)
            .is_some_and(|rest| rest.starts_with('/'))
    });
    match (same_scope, org) {
        (_, None) if itself => PartyVerdict::new(
            Party::First,
            format!("the package itself, below {}: {quoted}", dependency.below),
        ),
        (_, Some(_)) if itself => PartyVerdict::new(
            Party::Unknown,
            format!(
                "the package itself, below {}, which is not the organisation's: {quoted}",
                dependency.below
            ),
        ),
        (true, None) => PartyVerdict::new(
            Party::First,
            format!("of the same scope as the package: {quoted}"),
        ),
        (true, Some(_)) => PartyVerdict::new(
            Party::Unknown,
            format!("of the same scope as the package, which is not the organisation's: {quoted}"),
        ),
        (false, _) if name.is_empty() => {
            PartyVerdict::new(Party::Third, format!("below {}", dependency.below))
        }
        (false, _) => PartyVerdict::new(
            Party::Third,
            format!("below {}: {quoted}", dependency.below),
        ),
    }
}

/// What a URL's host or a bundler's build name says. `None` where they say nothing.
fn party_by_address(
    name: &SourceName<'_>,
    package: Option<&Manifest>,
    org: Option<&Organisation>,
) -> Option<PartyVerdict> {
    let scheme = name.scheme.as_deref()?;
    let outside =
        !package.is_some_and(|package| org.is_some_and(|org| org.owns_package(&package.name)));
    if scheme == "http" || scheme == "https" {
        let host = name.host();
        if host.is_empty() {
            return None;
        }
        let url = format!("{scheme}://{host}/{}", String::from_utf8_lossy(name.path));
        let verdict = match org {
            Some(org) if org.owns_host(&host) => PartyVerdict::new(
                Party::First,
                format!("host of the organisation: {}", shown(host.as_bytes())),
            )
            .outside(outside),
            Some(org) if org.owns_repository(&url) => {
                PartyVerdict::new(Party::First, "repository of the organisation").outside(outside)
            }
            _ => PartyVerdict::new(
                Party::Unknown,
                format!("at a network address: {}", shown(host.as_bytes())),
            ),
        };
        return Some(verdict);
    }
    let org = org?;
    let build = name.build_names().find(|build| org.owns_package(build))?;
    Some(
        PartyVerdict::new(
            Party::First,
            format!("build of the organisation: {}", shown(build.as_bytes())),
        )
        .outside(outside),
    )
}

/// A source that nothing but its package tells anything about.
fn own_sources(package: Option<&Manifest>, org: Option<&Organisation>) -> PartyVerdict {
    let Some(package) = package else {
        return PartyVerdict::new(Party::Unknown, "no package named here: unknown");
    };
    let quoted = shown(package.name.as_bytes());
    match org {
        None => PartyVerdict::new(Party::First, format!("own sources of package {quoted}")),
        Some(org) if owns(org, package) => PartyVerdict::new(
            Party::First,
            format!("own sources of package {quoted}, which is the organisation's"),
        ),
        Some(_) => PartyVerdict::new(
            Party::Unknown,
            format!("own sources of package {quoted}, which is not the organisation's"),
        ),
    }
}

/// Whether the profile claims a package: by its name, or by the repository that it names.
pub(super) fn owns(org: &Organisation, package: &Manifest) -> bool {
    org.owns_package(&package.name)
        || package
            .repository
            .as_deref()
            .is_some_and(|url| org.owns_repository(url))
}

/// A package that a source lies in, by the layout of a package manager.
struct Dependency<'a> {
    /// `lodash`, `@acme/core`; empty where the layout names none. A Yarn store writes `@acme-core`.
    name: Cow<'a, str>,
    /// Its version, where the layout names that.
    version: Option<String>,
    /// The layout, for people.
    below: &'static str,
    /// The name comes from a Yarn store, which writes `-` for the `/` of a scope.
    flattened: bool,
}

impl Dependency<'_> {
    fn is_owned(&self, org: &Organisation) -> bool {
        if org.owns_package(&self.name) {
            return true;
        }
        // `@acme-core` may be `@acme/core`: where a scope ends cannot be told, so any owned one counts.
        let flat = self.name.as_bytes();
        self.flattened
            && (org.scopes.iter().any(|scope| {
                flat.strip_prefix(scope.as_bytes())
                    .is_some_and(|rest| rest.starts_with(b"-"))
            }) || org
                .packages
                .iter()
                .any(|own| own.replacen('/', "-", 1) == self.name))
    }
}

/// The name of a source, taken apart: `scheme://authority/path`.
struct SourceName<'a> {
    /// Lower case.
    scheme: Option<String>,
    authority: &'a [u8],
    path: &'a [u8],
    /// The whole name with `/` for `\` and `@` for `%40`; what the other two borrow from where nothing was replaced.
    whole: Cow<'a, [u8]>,
}

/// What stands between name and hash of a package in a Yarn store. Made once: setting up the search takes longer than it.
static OF_YARN: LazyLock<memmem::FinderRev<'static>> =
    LazyLock::new(|| memmem::FinderRev::new(b"-npm-"));

/// A scheme is short; RFC 3986 sets no bound, so hostile input gets one. Bytes.
const MAX_SCHEME: usize = 32;

impl<'a> SourceName<'a> {
    fn parse(name: &'a [u8]) -> SourceName<'a> {
        let (scheme, rest) = split_scheme(name);
        let (authority, path) = match scheme {
            Some(_) => match memchr::memchr(b'/', rest) {
                Some(at) => rest.split_at(at),
                None => (rest, &b""[..]),
            },
            None => (&b""[..], name),
        };
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let path = match scheme {
            // `?` begins a query or a bundler's hash; in a bare path it may be part of a name and does no harm.
            Some(_) => &path[..memchr::memchr(b'?', path).unwrap_or(path.len())],
            None => path,
        };
        SourceName {
            scheme: scheme.map(|s| String::from_utf8_lossy(s).to_ascii_lowercase()),
            authority,
            path,
            whole: slashes(name),
        }
    }

    /// The host of the authority, without user and port.
    fn host(&self) -> String {
        let authority = String::from_utf8_lossy(self.authority);
        let host = authority.rsplit('@').next().unwrap_or_default();
        host.split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    }

    /// Names that the authority of `webpack://NAME/…` may stand for: itself, and with its first folder where it is a scope.
    fn build_names(&self) -> impl Iterator<Item = String> {
        let authority = String::from_utf8_lossy(&slashes(self.authority)).into_owned();
        let first = self
            .path
            .split(|&byte| byte == b'/')
            .next()
            .unwrap_or_default();
        let scoped = authority
            .starts_with('@')
            .then(|| format!("{authority}/{}", String::from_utf8_lossy(first)));
        [Some(authority), scoped].into_iter().flatten()
    }

    /// The package that the name's last package manager layout names.
    fn dependency(&self) -> Option<Dependency<'_>> {
        let mut dependency = self.dependency_by_layout()?;
        if dependency.version.is_none() {
            dependency.version = store_version(&self.whole, &dependency.name);
        }
        Some(dependency)
    }

    fn dependency_by_layout(&self) -> Option<Dependency<'_>> {
        if let Some(rest) = after_last_folder(&self.whole, b"node_modules") {
            let below = "node_modules";
            if let Some(store) = rest
                .strip_prefix(b".pnpm/")
                .or_else(|| rest.strip_prefix(b".bun/"))
            {
                return Some(Dependency {
                    name: store_name(store),
                    version: None,
                    below,
                    flattened: false,
                });
            }
            return Some(Dependency {
                name: package_name(rest),
                version: None,
                below,
                flattened: false,
            });
        }
        // webpack up to version 3 shortens it.
        if self
            .scheme
            .as_deref()
            .is_some_and(|scheme| scheme.starts_with("webpack"))
            && let Some(rest) = after_last_folder(&self.whole, b"~")
        {
            return Some(Dependency {
                name: package_name(rest),
                version: None,
                below: "`~`, which is node_modules to webpack",
                flattened: false,
            });
        }
        for folder in [&b"cache"[..], b"unplugged"] {
            let first = after_last_folder(&self.whole, folder)
                .and_then(|rest| rest.split(|&b| b == b'/').next());
            if let Some((first, at)) = first.and_then(|first| Some((first, OF_YARN.rfind(first)?)))
            {
                return Some(Dependency {
                    name: String::from_utf8_lossy(&first[..at]),
                    version: None,
                    below: "a Yarn store",
                    flattened: true,
                });
            }
        }
        if let Some(rest) = by_registry(&self.whole) {
            let stated = package_name(rest.strip_prefix(b"/").unwrap_or(rest));
            let name = without_version(stated.clone());
            let version = stated.get(name.len() + 1..).filter(|it| !it.is_empty());
            return Some(Dependency {
                version: version.map(str::to_owned),
                name,
                below: "`npm:` or `jsr:`, which name packages of a registry",
                flattened: false,
            });
        }
        for (folder, below) in [
            (&b"bower_components"[..], "bower_components"),
            (b"jspm_packages", "jspm_packages"),
        ] {
            if let Some(rest) = after_last_folder(&self.whole, folder) {
                let rest = rest.strip_prefix(b"npm/").unwrap_or(rest);
                return Some(Dependency {
                    name: without_version(package_name(rest)),
                    version: None,
                    below,
                    flattened: false,
                });
            }
        }
        None
    }

    /// Whether a bundler made this module up: its runtime, an external, a virtual module.
    fn is_bundler_runtime(&self) -> bool {
        if self.whole.contains(&0) || self.whole.starts_with(b"%00") {
            return true;
        }
        let mut path = self.path;
        while let Some(rest) = path
            .strip_prefix(b"./")
            .or_else(|| path.strip_prefix(b"../"))
        {
            path = rest;
        }
        if is_webpack_runtime(path) || is_webpack_runtime(&self.whole) {
            return true;
        }
        // An external names what it stands for in quotes: external "react", external {"commonjs":"react"}.
        if path.starts_with(b"external ") && memchr::memchr(b'"', path).is_some() {
            return true;
        }
        if is_webpack_context(path) {
            return true;
        }
        const PREFIXES: [&[u8]; 9] = [
            b"(webpack)",
            b"[synthetic:",
            b"ignored|",
            b"ignored \"",
            b"(disabled):",
            b"rolldown:",
            b"[turbopack]",
            b"<define:",
            b"virtual:",
        ];
        if PREFIXES.iter().any(|prefix| path.starts_with(prefix))
            || self.authority == b"[turbopack]"
        {
            return true;
        }
        const HELPERS: [&[u8]; 3] = [
            b"vite/preload-helper",
            b"vite/modulepreload-polyfill",
            b"vite/dynamic-import-helper",
        ];
        let without_extension = path.strip_suffix(b".js").unwrap_or(path);
        HELPERS.iter().any(|helper| {
            without_extension
                .strip_suffix(*helper)
                .is_some_and(|before| before.is_empty() || before.ends_with(b"/"))
        })
    }
}

/// `webpack/bootstrap 1a2b3c`, `webpack/runtime/define property getters`. A file of one's own folder `webpack/` has an
/// extension; webpack's own modules have none.
fn is_webpack_runtime(path: &[u8]) -> bool {
    const MODULES: [&[u8]; 8] = [
        b"bootstrap",
        b"runtime/",
        b"startup",
        b"before-startup",
        b"after-startup",
        b"universalModuleDefinition",
        b"container/",
        b"sharing/",
    ];
    let Some(rest) = path.strip_prefix(b"webpack/") else {
        return false;
    };
    let last = rest.rsplit(|&byte| byte == b'/').next().unwrap_or(rest);
    MODULES.iter().any(|module| rest.starts_with(module)) && !last.contains(&b'.')
}

/// `./src/locale sync ^\.\/.*$`: a module that webpack makes of a folder, its mode, and a pattern in its own notation, in
/// which `%25` and the like may stand.
fn is_webpack_context(path: &[u8]) -> bool {
    const MODES: [&[u8]; 5] = [b" sync", b" lazy", b" lazy-once", b" eager", b" weak"];
    // Each search is set up anew, and nearly no name has a blank.
    let has_blank = memchr::memchr(b' ', path).is_some();
    has_blank
        && MODES.iter().any(|mode| {
            let behind = memmem::rfind(path, mode).map(|at| &path[at + mode.len()..]);
            behind.is_some_and(|rest| {
                rest.is_empty() || rest.starts_with(b" ^") || rest.starts_with(b" recursive")
            })
        })
}

/// `scheme` and what follows `://`, where a name begins with a scheme.
fn split_scheme(name: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let head = name.get(..MAX_SCHEME + 3).unwrap_or(name);
    match memmem::find(head, b"://") {
        Some(at)
            if at > 0
                && head[..at]
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)) =>
        {
            (Some(&name[..at]), &name[at + 3..])
        }
        _ => (None, name),
    }
}

/// The name with `/` for `\` and `@` for `%40`; borrowed where there is nothing to replace.
fn slashes(name: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\\', b'%', name).is_none() {
        return Cow::Borrowed(name);
    }
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&byte, tail)) = rest.split_first() {
        match (byte, tail) {
            (b'%', [b'4', b'0', after @ ..]) => {
                plain.push(b'@');
                rest = after;
            }
            (b'\\', _) => {
                plain.push(b'/');
                rest = tail;
            }
            _ => {
                plain.push(byte);
                rest = tail;
            }
        }
    }
    Cow::Owned(plain)
}

/// What follows `npm:` or `jsr:` in a specifier that names a package of a registry, with what a bundler put before it.
fn by_registry(name: &[u8]) -> Option<&[u8]> {
    let name = match memmem::find(name, b"://") {
        // `webpack:///npm:x`, and the path that such a name has where it was joined with a root.
        Some(at) => &name[at + 3..],
        None => name,
    };
    let name = name.strip_prefix(b"/").unwrap_or(name);
    let rest = [&b"npm:"[..], b"jsr:"]
        .iter()
        .find_map(|scheme| name.strip_prefix(*scheme))?;
    let bare = rest.strip_prefix(b"/").unwrap_or(rest);
    let begins = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'_');
    bare.first().is_some_and(begins).then_some(rest)
}

/// A package's name without the version behind it.
fn without_version(name: Cow<'_, str>) -> Cow<'_, str> {
    match name.get(1..).and_then(|tail| tail.find('@')) {
        Some(at) => Cow::Owned(name[..at + 1].to_owned()),
        None => name,
    }
}

/// What follows the last folder of that name, without the slash.
fn after_last_folder<'a>(path: &'a [u8], folder: &[u8]) -> Option<&'a [u8]> {
    // From slash to slash: a search for the word would be set up anew for each of many short paths.
    memchr::memrchr_iter(b'/', path).find_map(|slash| {
        let before = path[..slash].strip_suffix(folder)?;
        let begins = matches!(before.last(), None | Some(b'/' | b'!' | b'~' | b':'));
        begins.then(|| &path[slash + 1..])
    })
}

/// `name` or `@scope/name` at the start of a path; empty for folders of tools (`.vite/deps/…`).
fn package_name(path: &[u8]) -> Cow<'_, str> {
    if path.starts_with(b".") {
        return Cow::Borrowed("");
    }
    let wanted = if path.starts_with(b"@") { 2 } else { 1 };
    let end = path
        .iter()
        .enumerate()
        .filter(|&(_, &byte)| byte == b'/')
        .nth(wanted - 1)
        .map_or(path.len(), |(at, _)| at);
    let name = &path[..end];
    String::from_utf8_lossy(&name[..memchr::memchr(b'?', name).unwrap_or(name.len())])
}

/// The version that a store's folder gives of a package: `.pnpm/NAME@1.0.0_peer`, `.bun/NAME@1.0.0`,
/// `cache/NAME-npm-1.0.0-HASH.zip`, `jspm_packages/npm/NAME@1.0.0`. The last folder that names this package counts.
fn store_version(path: &[u8], name: &str) -> Option<String> {
    let folders = path.split(|&byte| byte == b'/');
    let version = folders.rev().find_map(|folder| {
        if let Some(at) = OF_YARN.rfind(folder) {
            let flat = name.replacen('/', "-", 1);
            let rest = &folder[at + b"-npm-".len()..];
            let end = memchr::memrchr(b'-', rest)?;
            return (folder[..at] == *flat.as_bytes()).then(|| &rest[..end]);
        }
        let at = 1 + memchr::memchr(b'@', folder.get(1..)?)?;
        let rest = &folder[at + 1..];
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'_' | b'(' | b'+'));
        let stored = String::from_utf8_lossy(&folder[..at]);
        let is_it = stored == name || stored.replacen('+', "/", 1) == name;
        is_it.then(|| &rest[..end.unwrap_or(rest.len())])
    })?;
    let is_version = version.first().is_some_and(u8::is_ascii_digit);
    is_version.then(|| String::from_utf8_lossy(version).into_owned())
}

/// `@scope+name@1.0.0_peer` of a pnpm or Bun store as `@scope/name`.
fn store_name(path: &[u8]) -> Cow<'_, str> {
    let first = path.split(|&byte| byte == b'/').next().unwrap_or(path);
    let end = first
        .iter()
        .skip(1)
        .position(|&byte| byte == b'@')
        .map_or(first.len(), |at| at + 1);
    Cow::Owned(String::from_utf8_lossy(&first[..end]).replacen('+', "/", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org() -> Organisation {
        Organisation::parse(
            "name='Acme'\nscopes=['@acme']\npackages=['acme-cli']\ndomains=['acme.com']\nrepositories=['github.com/acme']",
            "t",
        )
        .unwrap()
    }

    fn package(name: &str) -> Manifest {
        Manifest::from_npm(format!("{{\"name\":\"{name}\",\"version\":\"1.0.0\"}}").as_bytes())
            .unwrap()
    }

    fn judged(name: &str, package_name: &str, with_org: bool) -> (Party, String) {
        let (package, org) = (package(package_name), org());
        let verdict = party_of(
            name.as_bytes(),
            Some(&package),
            with_org.then_some(&org),
            false,
        );
        (verdict.party, verdict.reason)
    }

    #[test]
    fn every_layout_of_node_modules_is_third_party() {
        for (name, dependency) in [
            ("../node_modules/lodash/index.js", "lodash"),
            ("node_modules/@scope/x/lib/a.js", "@scope/x"),
            (
                "webpack://acme-cli/./node_modules/react/index.js?1a2b",
                "react",
            ),
            (
                "../../node_modules/.pnpm/zod@3.1.0/node_modules/zod/lib/index.mjs",
                "zod 3.1.0",
            ),
            (
                "../node_modules/.pnpm/@scope+x@1.0.0_y@2/dist/a.js",
                "@scope/x 1.0.0",
            ),
            (
                "node_modules/.bun/ink@5.0.0/node_modules/ink/build/a.js",
                "ink 5.0.0",
            ),
            ("node_modules/a/node_modules/b/index.js", "b"),
            (
                "node_modules/.pnpm/b@2.0.0/node_modules/@types/b/a.js",
                "@types/b",
            ),
            ("..\\..\\node_modules\\%40scope\\x\\a.js", "@scope/x"),
            (
                ".yarn/cache/chalk-npm-5.3.0-abc.zip/node_modules/chalk/source/index.js",
                "chalk 5.3.0",
            ),
            (
                "../.yarn/unplugged/esbuild-npm-0.20.0-1f/lib/main.js",
                "esbuild 0.20.0",
            ),
            ("bower_components/jquery/dist/jquery.js", "jquery"),
            ("jspm_packages/npm/rxjs@5.0.0/Rx.js", "rxjs 5.0.0"),
            ("npm:lodash@4.17.21", "lodash 4.17.21"),
            ("npm:/lodash@4.17.21/a.js", "lodash 4.17.21"),
            ("webpack:///npm:lodash", "lodash"),
            ("jsr:@std/path@1.0.0/posix/a.ts", "@std/path 1.0.0"),
        ] {
            for with_org in [false, true] {
                let (party, reason) = judged(name, "acme-cli", with_org);
                assert_eq!(party, Party::Third, "{name}");
                assert!(
                    reason.ends_with(&format!(": {dependency}")),
                    "{name}: {reason}"
                );
            }
        }
        assert_eq!(
            judged("node_modules/.vite/deps/react.js", "acme-cli", true).0,
            Party::Third
        );
        assert_eq!(
            judged("webpack:///./~/lodash/index.js", "acme-cli", true).0,
            Party::Third
        );
        assert_eq!(
            judged("webpack:///../~/@scope/x/a.js", "acme-cli", false).1,
            "below `~`, which is node_modules to webpack: @scope/x"
        );
        // A scope of one's own is one's own there too.
        assert_eq!(
            judged("npm:@acme/core@1.0.0", "acme-cli", true).0,
            Party::First
        );
        assert_eq!(judged("jsr:@acme/core", "@acme/cli", false).0, Party::First);
        for own in [
            "npm:",
            "src/npm:x.ts",
            "~/src/a.ts",
            "webpack:///./~own/a.ts",
            "webpack:///./src/~a.ts",
        ] {
            assert_eq!(judged(own, "acme-cli", true).0, Party::First, "{own}");
        }
        assert_eq!(
            judged("webpack:///./~/@acme/core/a.js", "acme-cli", true).0,
            Party::First
        );
        assert_eq!(
            judged("src/my_node_modules/a.js", "acme-cli", true).0,
            Party::First
        );
        assert_eq!(judged("src/cache/b.js", "acme-cli", true).0, Party::First);
    }

    #[test]
    fn a_package_of_the_organisation_is_never_third_party() {
        for name in [
            "../node_modules/@acme/core/src/a.ts",
            "node_modules/.pnpm/@acme+core@1.0.0/dist/a.js",
            ".yarn/cache/@acme-core-npm-1.0.0-abc.zip/a.js",
            "..\\node_modules\\%40acme\\core\\a.js",
            "node_modules/x/node_modules/acme-cli/a.js",
        ] {
            let (package, org) = (package("other"), org());
            let verdict = party_of(name.as_bytes(), Some(&package), Some(&org), true);
            assert_eq!(verdict.party, Party::First, "{name}");
            assert!(verdict.outside_manifest, "{name}");
        }
        // The package that the map was published with, as it is found in the map of another one of its builds.
        let (party, reason) = judged("node_modules/lib/src/a.ts", "lib", false);
        assert_eq!(party, Party::First);
        assert!(reason.starts_with("the package itself"), "{reason}");
        assert_eq!(
            judged("node_modules/lib/src/a.ts", "lib", true).0,
            Party::Unknown
        );
        // Without a profile, the package's own scope stands for its owner.
        assert_eq!(
            judged("node_modules/@acme/core/a.js", "@acme/cli", false).0,
            Party::First
        );
        assert_eq!(
            judged("node_modules/@acme2/core/a.js", "@acme/cli", false).0,
            Party::Third
        );
        assert_eq!(
            judged("node_modules/@other/core/a.js", "@other/cli", true).0,
            Party::Unknown
        );
    }

    #[test]
    fn what_bundlers_make_up_is_third_party() {
        for name in [
            "webpack/bootstrap",
            "webpack:///webpack/bootstrap 3ad9c2",
            "webpack://acme-cli/webpack/runtime/hasOwnProperty shorthand",
            "webpack:///(webpack)/buildin/module.js",
            "webpack://acme-cli/external \"react\"",
            "external {\"commonjs\":\"x\"}",
            "[synthetic:es6/symbol] ",
            "../../vite/preload-helper.js",
            "\0vite/preload-helper.js",
            "\0commonjsHelpers.js",
            "rolldown:runtime",
            "webpack://acme-cli/ignored|/x|y",
            "webpack:///webpack/universalModuleDefinition",
            "webpack://antd/./components/ sync ^\\.\\/locale\\/[A-Z]+\\.tsx%253F$",
            "webpack:///./src/locale sync recursive ^\\.\\/.*$",
            "./src/pages lazy",
            "virtual:icons/all",
        ] {
            assert_eq!(
                judged(name, "acme-cli", true),
                (Party::Third, "bundler runtime".into()),
                "{name}"
            );
        }
        for name in [
            "webpack/bootstrap.ts",
            "webpack/runtime/own.ts",
            "src/external services.ts",
            "src/cloud sync.ts",
            "src/invite/preload-helper2.ts",
        ] {
            assert_eq!(judged(name, "acme-cli", true).0, Party::First, "{name}");
        }
    }

    #[test]
    fn hosts_and_builds_are_told_by_the_profile() {
        assert_eq!(
            judged("https://git.acme.com/x/a.ts", "other", true).0,
            Party::First
        );
        let raw = "https://raw.githubusercontent.com/acme/x/refs/heads/main/a.ts";
        assert_eq!(judged(raw, "other", true).0, Party::First);
        assert_eq!(
            judged("https://github.com/acme/x/raw/a.ts", "other", true).0,
            Party::First
        );
        assert_eq!(
            judged("https://cdn.net/a.ts", "acme-cli", true).0,
            Party::Unknown
        );
        assert_eq!(
            judged("https://cdn.net/a.ts", "acme-cli", false).0,
            Party::Unknown
        );
        assert_eq!(
            judged("webpack://acme-cli/./src/a.ts", "other", true).0,
            Party::First
        );
        assert_eq!(
            judged("webpack://@acme/core/./src/a.ts", "other", true).0,
            Party::First
        );
        assert_eq!(
            judged("webpack://%40acme/core/./src/a.ts", "other", true).0,
            Party::First
        );
        assert_eq!(
            judged("webpack://other/./src/a.ts", "other", true).0,
            Party::Unknown
        );
        assert_eq!(
            judged("file:///home/u/src/a.ts", "acme-cli", true).0,
            Party::First
        );
    }

    #[test]
    fn the_package_decides_where_nothing_else_does() {
        assert_eq!(
            judged("../src/a.ts", "x", false),
            (Party::First, "own sources of package x".into())
        );
        assert_eq!(judged("../src/a.ts", "x", true).0, Party::Unknown);
        assert_eq!(judged("../src/a.ts", "@acme/x", true).0, Party::First);
        let nobody = party_of(b"../src/a.ts", None, None, false);
        assert_eq!(
            (nobody.party, nobody.reason.as_str()),
            (Party::Unknown, "no package named here: unknown")
        );
        assert_eq!(
            party_of(b"", None, Some(&org()), false).party,
            Party::Unknown
        );
    }

    #[test]
    fn an_ignore_list_counts_only_where_nobody_owns_the_source() {
        let (own, other, org) = (package("acme-cli"), package("x"), org());
        assert_eq!(
            party_of(b"src/a.ts", Some(&other), None, true).party,
            Party::Third
        );
        assert_eq!(
            party_of(b"src/a.ts", Some(&other), Some(&org), true).party,
            Party::Third
        );
        assert_eq!(party_of(b"src/a.ts", None, None, true).party, Party::Third);
        assert_eq!(
            party_of(b"src/a.ts", Some(&own), Some(&org), true).party,
            Party::First
        );
        assert_eq!(
            party_of(b"https://x.acme.com/a.ts", None, Some(&org), true).party,
            Party::First
        );
    }

    #[test]
    fn reasons_are_safe_to_print() {
        let verdict = party_of(b"node_modules/\x1b[2Jx\xff/a.js", None, None, false);
        assert!(!verdict.reason.contains('\x1b'), "{}", verdict.reason);
    }

    proptest::proptest! {
        #[test]
        fn any_name_is_judged_without_panic(name in "(node_modules|/|@|acme|\\\\|%40|://|webpack|\\.pnpm|-npm-|cache|\\+|\\?|é|\\x00| )*") {
            let (package, org) = (package("@acme/x"), org());
            party_of(name.as_bytes(), Some(&package), Some(&org), true);
            party_of(name.as_bytes(), None, None, false);
        }
    }
}
