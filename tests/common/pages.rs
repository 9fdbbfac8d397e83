//! Pages as those check them who write HTML for a living, and those who speak for people that cannot see it.
//!
//! axe-core (in jsdom, without script of the page's, since it has none) and html-validate come from npm; where they are
//! not, tests say so and pass, unless STRANDLINE_REQUIRE_HTML=1. STRANDLINE_HTML names the folder that holds them in
//! `node_modules`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs axe-core over a page in jsdom and prints what it objects to. Contrast needs a layout, which jsdom has not; it was
/// looked at in a browser.
const AXE: &str = r#"
const { JSDOM } = require("jsdom");
const { readFileSync } = require("fs");
const page = readFileSync(process.argv[1], "utf8");
const { window } = new JSDOM(page, { runScripts: "outside-only" });
window.eval(readFileSync(require.resolve("axe-core"), "utf8"));
window.axe.run(window.document, { rules: { "color-contrast": { enabled: false } } }).then((found) => {
  for (const rule of found.violations) {
    console.log(rule.id + ": " + rule.help + ": " + rule.nodes.map((node) => node.html.slice(0, 200)).join(" | "));
  }
  console.log("rules passed: " + found.passes.length);
});
"#;

/// The folder with the checkers; `None` where there is none, which is said.
pub fn checkers() -> Option<PathBuf> {
    let folder = std::env::var_os("STRANDLINE_HTML").map(PathBuf::from);
    let has = |folder: &PathBuf| folder.join("node_modules/axe-core").is_dir();
    let found = folder.filter(has);
    if found.is_none() {
        assert!(
            std::env::var_os("STRANDLINE_REQUIRE_HTML").is_none(),
            "STRANDLINE_HTML names no folder with axe-core"
        );
        eprintln!("NOT TESTED: the page by axe-core and html-validate, which are not here");
    }
    found
}

/// Neither objects to anything in the page.
#[track_caller]
pub fn assert_clean(tools: &Path, page: &Path) {
    let axe = Command::new("node")
        .current_dir(tools)
        .args(["-e", AXE])
        .arg(page)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&axe.stdout);
    assert!(
        axe.status.success(),
        "{}",
        String::from_utf8_lossy(&axe.stderr)
    );
    let passed = said.trim().strip_prefix("rules passed: ");
    let passed: u32 = passed
        .unwrap_or_else(|| panic!("{}: {said}", page.display()))
        .parse()
        .unwrap();
    assert!(passed > 15, "axe-core looked at nothing: {said}");
    let valid = Command::new(tools.join("node_modules/.bin/html-validate"))
        .current_dir(tools)
        .args(["--preset", "standard"])
        .arg(page)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&valid.stdout);
    assert!(valid.status.success(), "{}: {said}", page.display());
}
