//! Hosts, as the linter has to know them: what the rules say of each, and how notices to it are drafted.

use serde::Deserialize;

use crate::report::notice::{Host, Hosts};

/// The sort of notice where nothing else is said.
pub(super) const SORT_DEFAULT: &str = "512";

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LintHost {
    pub(super) id: String,
    /// Its names in addresses.
    #[serde(default)]
    pub(super) names: Vec<String>,
    /// Names under which it serves files of the same repositories.
    #[serde(default)]
    pub(super) same: Vec<String>,
    /// Which elements a notice to it needs.
    pub(super) sort: String,
    /// How many places it takes at once, as the file of hosts says.
    #[serde(skip)]
    pub(super) rows: Option<u64>,
}

/// All hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintHosts(Vec<LintHost>);

impl LintHosts {
    /// What the rules say of hosts, with their names and how many places a notice to each may name. A host that only the forms
    /// know needs what the one needs that it is like.
    pub(super) fn new(mut hosts: Vec<LintHost>, forms: &Hosts) -> Self {
        for id in forms.ids() {
            let Some(form) = forms.get(id) else { continue };
            let rows = Some(form.rows as u64);
            match hosts.iter_mut().find(|host| host.id == id) {
                Some(host) => {
                    host.names.clone_from(&form.names);
                    host.rows = rows;
                }
                None => {
                    let sort = sort_like(form, &hosts);
                    hosts.push(LintHost {
                        id: id.to_owned(),
                        names: form.names.clone(),
                        same: Vec::new(),
                        sort,
                        rows,
                    });
                }
            }
        }
        Self(hosts)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &LintHost> {
        self.0.iter()
    }

    /// The ids that `--host` may name.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|host| host.id.as_str())
    }

    /// The host by its id, or by a name in addresses.
    pub(super) fn get(&self, name: &str) -> Option<&LintHost> {
        let is_it = |host: &&LintHost| {
            host.id == name || host.names.iter().chain(&host.same).any(|one| one == name)
        };
        self.iter().find(is_it)
    }
}

fn sort_like(form: &Host, hosts: &[LintHost]) -> String {
    let like = form.like.as_ref();
    let like = like.and_then(|like| hosts.iter().find(|host| host.id == *like));
    like.map_or(SORT_DEFAULT, |host| host.sort.as_str())
        .to_owned()
}
