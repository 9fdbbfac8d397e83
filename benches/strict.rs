//! How fast the strict verdict is: `cargo bench --bench strict -- PACKAGES`, a folder of `.tgz` files.
//!
//! Takes every `.map` out of the packages into memory first, then judges all of them, best of some rounds. A UTF-8
//! check of the same bytes is measured beside it, for a figure in GB/s says as much of the machine as of the program.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::time::Instant;

use flate2::read::GzDecoder;
use strandline::sourcemap::strict::judge;

const ROUNDS: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let folder = folder.unwrap_or_else(|| "fixtures/packages".to_owned());
    let mut maps = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tgz") {
            let mut archive = tar::Archive::new(GzDecoder::new(File::open(&path)?));
            for member in archive.entries()? {
                let mut member = member?;
                if member.path_bytes().ends_with(b".map") {
                    let mut map = Vec::new();
                    member.read_to_end(&mut map)?;
                    maps.push(map);
                }
            }
        }
    }
    let bytes: usize = maps.iter().map(Vec::len).sum();
    let valid = maps.iter().filter(|map| judge(map).is_valid()).count();
    println!("{} maps, {valid} of them valid, {bytes} bytes", maps.len());
    for (name, work) in [
        (
            "strict verdict",
            (|map: &[u8]| judge(map).is_valid()) as fn(&[u8]) -> bool,
        ),
        ("utf-8 check", |map| std::str::from_utf8(map).is_ok()),
    ] {
        let best = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                maps.iter().for_each(|map| {
                    black_box(work(map));
                });
                start.elapsed()
            })
            .min()
            .unwrap_or_default();
        println!(
            "{name}: {:.2} GB/s",
            bytes as f64 / best.as_secs_f64() / 1e9
        );
    }
    Ok(())
}
