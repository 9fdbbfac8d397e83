//! Gates that exist in the sources and not in the bundle, held against bundles that esbuild makes: what the build drops is
//! told, what it keeps is not, in an archive, in a folder, with the map beside the script and in it.
//!
//! Without esbuild this says so and passes, unless STRANDLINE_REQUIRE_ESBUILD=1.

mod common;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use common::{Records, scan, scratch, skipped, text, tgz, write_all};

/// Switches that stay, and one that is loaded from the other file.
const KEPT: &str = "import posthog from 'posthog-js';
import { later } from './later';
if (posthog.isFeatureEnabled('kept-gate')) console.log('kept-branch-one', 'kept-branch-two');
if (__KEPT__) console.log('kept-build-one', 'kept-build-two');
export { later };
";

/// Switches that the build drops.
const DROPPED: &str = "import posthog from 'posthog-js';
export function later(on: boolean) {
  if (__VOICE__) {
    if (posthog.isFeatureEnabled('dropped-gate')) console.log(on);
    console.log('voice-mode-start', 'voice-mode-stop');
  }
  if (__ALSO_KEPT__ && on) console.log('also-kept-one', 'also-kept-two');
  if (__ONE_NAME__) console.log('only-one-name');
  return posthog.getFeatureFlag('other-kept-gate');
}
";

/// Builds the program; `None` where there is no esbuild.
fn build(sources: &Path, output: &Path, more: &[&str]) -> Option<()> {
    write_all(
        sources,
        &[
            ("main.ts", KEPT.as_bytes()),
            ("later.ts", DROPPED.as_bytes()),
        ],
    );
    let made = Command::new("esbuild")
        .arg(sources.join("main.ts"))
        .args(["--bundle", "--minify", "--format=esm", "--log-level=error"])
        .args(["--packages=external", "--define:__VOICE__=false"])
        .args(["--define:__ONE_NAME__=false", "--define:__KEPT__=true"])
        .args(["--define:__ALSO_KEPT__=true"])
        .args(more)
        .output();
    match made {
        Ok(made) => {
            let why = String::from_utf8_lossy(&made.stderr).into_owned();
            assert!(made.status.success() && output.exists(), "{why}");
            Some(())
        }
        Err(error) => {
            skipped(
                "gates that a build drops",
                &error.to_string(),
                "STRANDLINE_REQUIRE_ESBUILD",
            );
            None
        }
    }
}

/// The gates that are told, as `locator value confidence`.
fn gates(records: &Records) -> BTreeSet<String> {
    let items = records.all("item");
    let gates = items.filter(|item| item["kind"] == "gate-not-in-bundle");
    gates
        .map(|item| {
            let detail = text(item, "detail");
            assert!(detail.contains(".js"), "{detail}");
            let (value, sure) = (text(item, "value"), text(item, "confidence"));
            format!("{} {value} {sure}", text(item, "locator"))
        })
        .collect()
}

fn told(at: &str) -> BTreeSet<String> {
    BTreeSet::from([
        format!("{at}later.ts __VOICE__ medium"),
        format!("{at}later.ts dropped-gate high"),
    ])
}

#[test]
fn what_the_build_dropped_is_told_and_nothing_else() {
    let folder = scratch();
    let (sources, output) = (folder.path().join("src"), folder.path().join("in/cli.js"));
    let to = format!("--outfile={}", output.display());
    if build(&sources, &output, &["--sourcemap", &to]).is_none() {
        return;
    }
    // In a folder, where script and map are units of their own.
    let arguments = |name: &str| -> Vec<OsString> { vec![folder.path().join(name).into()] };
    let records = scan(0, arguments("in"));
    assert_eq!(gates(&records), told("in/cli.js.map!/../src/"));

    // In an archive, with and without the script.
    let read = |name: &str| std::fs::read(folder.path().join("in").join(name)).unwrap();
    let (script, map) = (read("cli.js"), read("cli.js.map"));
    let members: [(&str, &[u8]); 2] = [("package/cli.js", &script), ("package/cli.js.map", &map)];
    write_all(
        folder.path(),
        &[("a.tgz", tgz(&members)), ("b.tgz", tgz(&members[1..]))],
    );
    let records = scan(0, arguments("a.tgz"));
    assert_eq!(gates(&records), told("a.tgz!/package/cli.js.map!/../src/"));
    assert_eq!(gates(&scan(0, arguments("b.tgz"))), BTreeSet::new());

    // A script beside it that bears the name answers for the gate, as one of a split build does.
    let other =
        b"console.log(\"dropped-gate\",\"voice-mode-stop\")\n//# sourceMappingURL=c.js.map\n";
    let members = [members[0], members[1], ("package/c.js", other)];
    write_all(folder.path(), &[("c.tgz", tgz(&members))]);
    assert_eq!(gates(&scan(0, arguments("c.tgz"))), BTreeSet::new());
    write_all(&folder.path().join("in"), &[("c.js", other)]);
    assert_eq!(gates(&scan(0, arguments("in"))), BTreeSet::new());

    // Without an inventory there is nothing to ask for.
    let mut without = arguments("a.tgz");
    without.extend(["--inventory".into(), "none".into()]);
    assert_eq!(gates(&scan(0, without)), BTreeSet::new());
}

#[test]
fn a_script_that_bears_its_map_is_looked_through_too() {
    let folder = scratch();
    let (sources, output) = (folder.path().join("src"), folder.path().join("in/cli.js"));
    let to = format!("--outfile={}", output.display());
    if build(&sources, &output, &["--sourcemap=inline", &to]).is_none() {
        return;
    }
    let records = scan(0, [folder.path().join("in")]);
    let found = gates(&records);
    let values: BTreeSet<_> = found
        .iter()
        .filter_map(|gate| gate.split_once("later.ts "))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(
        values,
        BTreeSet::from(["__VOICE__ medium", "dropped-gate high"])
    );
}
