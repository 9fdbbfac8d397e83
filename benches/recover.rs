//! `strandline recover` on one large map, beside plain readers that parse it with serde_json and write the files.
//!
//! `cargo bench --bench recover -- MAP [--rounds N] [--program STRANDLINE]`, where `fixtures/big_map.py` makes MAP. The
//! output goes below the folder of MAP, so put that on a RAM disk. Each contestant is a process of its own; what is
//! compared is CPU time, user and system, as the system counts it for children (Linux, `/proc/self/stat`).
//!
//! The plain readers do less: they hash nothing, write no manifest, judge nothing, keep one of two sources of one name,
//! and lose the map at the first wrong byte.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PLAIN: [&str; 2] = ["serde_json, typed", "serde_json, Value"];

/// The two lists of a map.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Map {
    sources: Vec<Option<String>>,
    sources_content: Vec<Option<String>>,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| one != "--bench")
        .collect();
    if let [mode, map, output] = &arguments[..]
        && PLAIN.contains(&mode.as_str())
    {
        return plain(mode, Path::new(map), Path::new(output));
    }
    let map = PathBuf::from(
        arguments
            .first()
            .ok_or("usage: recover MAP [--rounds N] [--program STRANDLINE]")?,
    );
    let option = |name: &str| {
        let at = arguments.iter().position(|one| one == name)?;
        arguments.get(at + 1).cloned()
    };
    let rounds: usize = option("--rounds").map_or(Ok(10), |rounds| rounds.parse())?;
    let program = option("--program").unwrap_or_else(|| "target/release/strandline".to_owned());
    compete(&map, rounds.max(1), &program)
}

/// Parses a map and writes its files as simple tools do.
fn plain(mode: &str, map: &Path, output: &Path) -> Outcome<()> {
    let text = std::fs::read(map)?;
    let map = if mode == PLAIN[0] {
        serde_json::from_slice(&text)?
    } else {
        let value: serde_json::Value = serde_json::from_slice(&text)?;
        let list = |key: &str| -> Vec<Option<String>> {
            let entries = value[key].as_array().into_iter().flatten();
            entries.map(|one| one.as_str().map(str::to_owned)).collect()
        };
        Map {
            sources: list("sources"),
            sources_content: list("sourcesContent"),
        }
    };
    for (name, content) in map.sources.iter().zip(&map.sources_content) {
        let (Some(name), Some(content)) = (name, content) else {
            continue;
        };
        let parts = name
            .split('/')
            .filter(|part| !matches!(*part, "" | "." | ".."));
        let path = parts.fold(output.to_path_buf(), |path, part| path.join(part));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // Where a folder has the name of the file, a simple tool loses it.
        let _ = std::fs::write(path, content);
    }
    Ok(())
}

fn compete(map: &Path, rounds: usize, program: &str) -> Outcome<()> {
    let own = std::env::current_exe()?;
    let output = map.with_extension("recovered");
    let commands: [(&str, Vec<&str>); 3] = [
        (
            "strandline recover",
            vec!["recover", "--quiet", "--jobs", "1"],
        ),
        (PLAIN[0], vec![PLAIN[0]]),
        (PLAIN[1], vec![PLAIN[1]]),
    ];
    let mut ticks = [0; 3];
    for round in 0..rounds {
        for turn in 0..commands.len() {
            let index = (round + turn) % commands.len();
            let (_, arguments) = &commands[index];
            let mut command = if index == 0 {
                let mut command = Command::new(program);
                command
                    .args(arguments)
                    .arg(map)
                    .arg("--output")
                    .arg(&output);
                command
            } else {
                let mut command = Command::new(&own);
                command.args(arguments).arg(map).arg(&output);
                command
            };
            let before = ticks_of_children()?;
            let status = command.status()?;
            ticks[index] += ticks_of_children()? - before;
            if !status.success() {
                return Err(format!("{} ended with {status}", commands[index].0).into());
            }
            std::fs::remove_dir_all(&output)?;
        }
    }
    println!("| program | CPU ms | CPU ÷ ours |\n| --- | ---: | ---: |");
    for (index, (name, _)) in commands.iter().enumerate() {
        println!(
            "| {name} | {:.0} | {:.2} |",
            ticks[index] as f64 * 10.0 / rounds as f64,
            ticks[index] as f64 / ticks[0].max(1) as f64
        );
    }
    Ok(())
}

/// CPU time of all children that have ended, in ticks of 10 ms (proc(5), `cutime` and `cstime`).
fn ticks_of_children() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("no stat")?.1;
    let mut numbers = fields.split_whitespace().skip(13).map(str::parse::<u64>);
    let mut next = || numbers.next().ok_or("no times in stat");
    Ok(next()?? + next()??)
}
