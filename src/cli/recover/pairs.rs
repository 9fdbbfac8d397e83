//! Which script a map belongs to, so that what it says of sources without content can be laid out.
//!
//! A script says which map is its own; where it does not, the map has its name with `.map` behind it, or names it as
//! its `file`. Both are looked for beside each other: in one archive, in one script, in one input folder. Files that
//! lie loose in a folder are read a second time when all have been seen, rather than held until then.

use std::collections::HashMap;
use std::path::PathBuf;

use super::writer::Writer;
use crate::blob::Locator;
use crate::cli::CliError;
use crate::container::InputFile;
use crate::record::ReferenceKind;
use crate::scan::facts::{Child, Standing, Tree};
use crate::scan::input::{self, InputRoot, Unit};
use crate::sourcemap::{resolve_link, resolve_source, skeleton};

/// Makes the skeletons of the maps that stand directly in an entry: in an archive, or in a script as data URLs.
pub fn within(child: &Child, standing: &Standing, writer: &mut Writer) -> Result<(), CliError> {
    let Some(tree) = &child.facts.tree else {
        return Ok(());
    };
    let is_archive = child.facts.is_archive();
    let partners = if is_archive {
        Partners::of(tree)
    } else {
        Partners::default()
    };
    let mut above = standing.above.to_vec();
    if is_archive {
        above.push(standing.path.to_vec());
    }
    for map in tree.children.iter().filter(|member| lacks_content(member)) {
        let path = if is_archive {
            map.name.bytes()
        } else {
            standing.path
        };
        let script = if is_archive {
            partners.find(path, map)
        } else {
            Some(child)
        };
        let Some((map_bytes, script)) = map
            .kept
            .as_ref()
            .zip(script.and_then(|script| script.kept.as_ref()))
        else {
            continue;
        };
        let at = standing.at.member(&tree.kind, &map.name, map.ordinal);
        let standing = Standing {
            at: &at,
            path,
            above: &above,
        };
        for skeleton in skeleton::of_missing(&map_bytes.bytes(), &script.bytes()) {
            writer.take_skeleton(&standing, &skeleton)?;
        }
    }
    Ok(())
}

/// Whether an entry is a map with a source that has no content, but mappings.
fn lacks_content(entry: &Child) -> bool {
    let Some((tree, _)) = entry.facts.as_map() else {
        return false;
    };
    let sources = tree
        .children
        .iter()
        .filter_map(|child| child.source.as_ref());
    tree.kind == "source-map" && sources.into_iter().any(|meta| meta.profile.is_some())
}

/// Scripts of an archive, by their own path and by the path that they link to.
#[derive(Default)]
struct Partners<'a> {
    by_path: HashMap<&'a [u8], &'a Child>,
    by_link: HashMap<Vec<u8>, &'a Child>,
}

impl<'a> Partners<'a> {
    fn of(tree: &'a Tree) -> Self {
        let mut partners = Self::default();
        for child in tree.children.iter().filter(|child| child.kept.is_some()) {
            let path = child.name.bytes();
            partners.by_path.entry(path).or_insert(child);
            for target in targets(child, path) {
                partners.by_link.entry(target).or_insert(child);
            }
        }
        partners
    }

    fn find(&self, path: &[u8], map: &Child) -> Option<&'a Child> {
        self.by_link
            .get(path)
            .or_else(|| candidates(path, map).find_map(|path| self.by_path.get(&path[..])))
            .copied()
    }
}

/// The paths that the links of an entry lead to.
fn targets(entry: &Child, path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let links = entry.facts.links.iter();
    links
        .filter(|link| link.kind == ReferenceKind::File)
        .filter_map(move |link| resolve_link(path, &link.target))
}

/// The paths at which the script of a map may lie, the likely one first.
fn candidates(path: &[u8], map: &Child) -> impl Iterator<Item = Vec<u8>> {
    let named = path.strip_suffix(b".map").map(<[u8]>::to_vec);
    let file = map
        .facts
        .as_map()
        .and_then(|(_, head)| head.file.as_deref());
    let file = file.map(|file| resolve_source(path, None, file));
    named.into_iter().chain(file)
}

/// Maps that lie loose in a folder, and scripts that lead to them.
#[derive(Default)]
pub struct Loose {
    maps: Vec<LooseMap>,
    /// Scripts by input and by the path that they link to.
    by_link: HashMap<(usize, Vec<u8>), Vec<u8>>,
}

struct LooseMap {
    root: InputRoot,
    unit: Unit,
    candidates: Vec<Vec<u8>>,
}

impl Loose {
    /// Notes a unit that is a map without all contents, or links to one. Only what is a unit itself is ever read: a
    /// map may name any path.
    pub fn take(&mut self, child: &Child, root: &InputRoot, unit: &Unit, units: &[Unit]) {
        let is_unit = |path: &Vec<u8>| {
            let order = |other: &Unit| (other.input, &other.path).cmp(&(unit.input, path));
            units.binary_search_by(order).is_ok()
        };
        if lacks_content(child) && !unit.path.is_empty() {
            self.maps.push(LooseMap {
                root: root.clone(),
                unit: unit.clone(),
                candidates: candidates(&unit.path, child).filter(is_unit).collect(),
            });
        }
        for target in targets(child, &unit.path) {
            let script = self.by_link.entry((unit.input, target));
            script.or_insert_with(|| unit.path.clone());
        }
    }

    /// Makes the skeletons. A file that cannot be read a second time has none, and is told of.
    pub fn pair(self, writer: &mut Writer) -> Result<(), CliError> {
        for map in &self.maps {
            let linked = self.by_link.get(&(map.unit.input, map.unit.path.clone()));
            let mut paths = linked.into_iter().chain(&map.candidates);
            let Some(script) = paths.find_map(|path| map.read(path)) else {
                continue;
            };
            let Some(bytes) = map.read(&map.unit.path) else {
                let path: PathBuf = input::path_of(&map.root, &map.unit);
                eprintln!(
                    "strandline: {} could not be read again, and has no skeletons",
                    path.display()
                );
                continue;
            };
            let at = Locator::file(&map.root.label, &map.unit.path);
            let standing = Standing {
                at: &at,
                path: &map.unit.path,
                above: &[map.root.label.clone().into_bytes()],
            };
            for skeleton in skeleton::of_missing(&bytes, &script) {
                writer.take_skeleton(&standing, &skeleton)?;
            }
        }
        Ok(())
    }
}

impl LooseMap {
    /// A regular file of the same input; `None` where there is none.
    fn read(&self, path: &[u8]) -> Option<bytes::Bytes> {
        let unit = Unit {
            path: path.to_vec(),
            ..self.unit.clone()
        };
        let (file, stamp) = input::open(&self.root, &unit).ok()?;
        let len = usize::try_from(stamp.size).ok()?;
        InputFile::new(file, stamp.size).read_at(0, len).ok()
    }
}
