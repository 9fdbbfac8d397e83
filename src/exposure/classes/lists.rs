//! Lists of hosts: the file with which a machine names its neighbours.

use std::net::IpAddr;

use super::Artifact;
use super::hosts::is_inside;
use super::text::{Text, counted};

/// `10.0.0.7 db1.acme.corp db1` on every line (hosts manual, section 5), and at least one address that is not this machine's.
pub fn read_hosts(text: &Text<'_>) -> Option<Artifact> {
    let mut inside = 0_u32;
    let mut lines = 0_u32;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or(line);
        let mut words = line.split_whitespace();
        let address: IpAddr = words.next()?.parse().ok()?;
        let mut names = 0;
        for name in words {
            let is_name = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
            is_name.then_some(())?;
            names += 1;
        }
        // Numbers in columns are no list of hosts.
        if names == 0 {
            return None;
        }
        lines += 1;
        inside += u32::from(is_inside(&address.to_string()));
    }
    let detail = format!(
        "a list of hosts with {} of private networks",
        counted(inside, "address").replace("addresss", "addresses")
    );
    (lines > 0 && inside > 0).then(|| Artifact::proven("internal-hosts", "", detail))
}
