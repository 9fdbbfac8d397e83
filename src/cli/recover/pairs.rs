//! Which script a map belongs to, so that what it says of sources without content can be laid out.
//!
//! A map has the name of its script with `.map` behind it, or names it as its `file`; and the script links to it. Any
//! of these may be missing, and a link may be anybody's, so that a script that both is named and links goes first, then
//! one that is named, then one that links. They are looked for beside each other: in one archive, in one script, in one
//! input folder.
//!
//! Scripts are large and most belong to no map that lacks anything. So the first pass only plans what is needed, and a
//! second one reads the units again that have it, and keeps that alone.

use std::collections::{HashMap, HashSet};

use super::writer::Writer;
use crate::blob::{Limits, Locator};
use crate::cli::CliError;
use crate::container::InputFile;
use crate::record::ReferenceKind;
use crate::scan::facts::{Child, Standing, Tree, name_number};
use crate::scan::input::{self, InputRoot, Unit};
use crate::sourcemap::{resolve_link, resolve_source};

/// What the second pass needs.
#[derive(Default)]
pub struct Plan {
    /// Names of maps and scripts.
    pub names: HashSet<u64>,
    /// The units that they are in, by input and path.
    pub units: HashSet<(usize, Vec<u8>)>,
}

impl Plan {
    /// Notes what the maps need that stand directly in an entry: in an archive, or in a script as data URLs.
    pub fn take(&mut self, entry: &Child, unit: &Unit) {
        let Some(tree) = &entry.facts.tree else {
            return;
        };
        let mut names: Vec<u64> = Vec::new();
        for map in tree.children.iter().filter(|member| lacks_content(member)) {
            if !entry.facts.is_archive() {
                names.push(name_number(entry.name.bytes()));
                continue;
            }
            let path = map.name.bytes();
            names.push(name_number(path));
            let linking = tree
                .children
                .iter()
                .filter(|child| targets(child, child.name.bytes()).any(|target| target == path));
            names.extend(linking.map(|child| name_number(child.name.bytes())));
            names.extend(
                candidates(path, map)
                    .map(|path| name_number(&path))
                    .filter(|number| tree.names.binary_search(number).is_ok()),
            );
        }
        if !names.is_empty() {
            self.names.extend(names);
            self.units.insert((unit.input, unit.path.clone()));
        }
    }
}

/// Makes the skeletons of the maps that stand directly in an entry, from what was kept.
pub fn within(entry: &Child, standing: &Standing, writer: &mut Writer) -> Result<(), CliError> {
    let Some(tree) = &entry.facts.tree else {
        return Ok(());
    };
    let is_archive = entry.facts.is_archive();
    let partners = is_archive.then(|| Partners::of(tree));
    let mut above = standing.above.to_vec();
    if is_archive {
        above.push(standing.path.to_vec());
    }
    for map in tree.children.iter().filter(|member| lacks_content(member)) {
        let (path, script) = match &partners {
            Some(partners) => (map.name.bytes(), partners.find(map)),
            None => (standing.path, Some(entry)),
        };
        let Some(script) = script else { continue };
        let (Some(map_kept), Some(script_kept)) = (&map.kept, &script.kept) else {
            continue;
        };
        let at = standing.at.member(&tree.kind, &map.name, map.ordinal);
        let from = match is_archive {
            true => standing.at.member(&tree.kind, &script.name, script.ordinal),
            false => standing.at.clone(),
        };
        let standing = Standing {
            at: &at,
            path,
            above: &above,
        };
        writer.draw(&standing, &map_kept.bytes(), &script_kept.bytes(), &from)?;
    }
    Ok(())
}

/// Whether an entry is a map with a source that has no content, but mappings.
fn lacks_content(entry: &Child) -> bool {
    let Some((tree, _)) = entry.facts.as_map() else {
        return false;
    };
    let mut sources = tree
        .children
        .iter()
        .filter_map(|child| child.source.as_ref());
    tree.kind == "source-map" && sources.any(|meta| meta.profile.is_some())
}

/// Entries of an archive that were kept, by their own path and by the path that they link to, in the order of the
/// archive.
struct Partners<'a> {
    by_path: HashMap<&'a [u8], Vec<&'a Child>>,
    by_link: HashMap<Vec<u8>, Vec<&'a Child>>,
}

impl<'a> Partners<'a> {
    fn of(tree: &'a Tree) -> Self {
        let (mut by_path, mut by_link) = (HashMap::new(), HashMap::new());
        for child in tree.children.iter().filter(|child| child.kept.is_some()) {
            let path = child.name.bytes();
            let of_path: &mut Vec<&Child> = by_path.entry(path).or_default();
            of_path.push(child);
            for target in targets(child, path) {
                let of_link: &mut Vec<&Child> = by_link.entry(target).or_default();
                of_link.push(child);
            }
        }
        Self { by_path, by_link }
    }

    fn find(&self, map: &Child) -> Option<&'a Child> {
        let path = map.name.bytes();
        let linking = self.by_link.get(path).map_or(&[][..], Vec::as_slice);
        let named: Vec<&Child> = candidates(path, map)
            .filter_map(|path| self.by_path.get(&path[..]))
            .flatten()
            .copied()
            .collect();
        let links = |script: &&&Child| linking.iter().any(|one| std::ptr::eq(*one, **script));
        // Of several files of one name, the second map belongs to the second script.
        let pick = |scripts: &[&'a Child]| {
            let same = scripts.iter().find(|script| script.ordinal == map.ordinal);
            same.or(scripts.first()).copied()
        };
        let both: Vec<&Child> = named.iter().filter(links).copied().collect();
        pick(&both)
            .or_else(|| pick(&named))
            .or_else(|| pick(linking))
    }
}

/// The paths that the links of an entry lead to.
fn targets(entry: &Child, path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let links = entry.facts.links.iter();
    links
        .filter(|link| link.kind == ReferenceKind::File)
        .filter_map(move |link| resolve_link(path, &link.target))
}

/// The paths at which the script of a map may lie by name, the likely one first.
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
    by_link: HashMap<(usize, Vec<u8>), Vec<Vec<u8>>>,
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
            let scripts = self.by_link.entry((unit.input, target)).or_default();
            scripts.push(unit.path.clone());
        }
    }

    /// Makes the skeletons. A file that cannot be read a second time has none, and is told of.
    pub fn pair(self, limits: &Limits, writer: &mut Writer) -> Result<(), CliError> {
        for map in &self.maps {
            let linking = self.by_link.get(&(map.unit.input, map.unit.path.clone()));
            let linking = linking.map_or(&[][..], Vec::as_slice);
            let named = &map.candidates;
            let both = named.iter().find(|path| linking.contains(path));
            let Some(path) = both.or(named.first()).or(linking.first()) else {
                continue;
            };
            let read = |path| map.read(path, limits.hold());
            let (script, bytes) = match (read(path), read(&map.unit.path)) {
                (Ok(script), Ok(bytes)) => (script, bytes),
                (Err(error), _) | (_, Err(error)) => {
                    let path = input::path_of(&map.root, &map.unit);
                    eprintln!("strandline: no skeletons of {}: {error}", path.display());
                    continue;
                }
            };
            let at = Locator::file(&map.root.label, &map.unit.path);
            let standing = Standing {
                at: &at,
                path: &map.unit.path,
                above: &[map.root.label.clone().into_bytes()],
            };
            let from = Locator::file(&map.root.label, path);
            writer.draw(&standing, &bytes, &script, &from)?;
        }
        Ok(())
    }
}

impl LooseMap {
    /// A regular file of the same input.
    fn read(&self, path: &[u8], hold: u64) -> Result<bytes::Bytes, String> {
        let unit = Unit {
            path: path.to_vec(),
            twin: None,
            ..self.unit.clone()
        };
        let (file, stamp) = input::open(&self.root, &unit).map_err(|trouble| trouble.detail)?;
        if stamp.size > hold {
            return Err(format!(
                "{} is larger than content may be held ({hold} bytes); raise --memory",
                input::path_of(&self.root, &unit).display()
            ));
        }
        let len = usize::try_from(stamp.size).unwrap_or(usize::MAX);
        let read = InputFile::new(file, stamp.size).read_at(0, len);
        read.map_err(|error| format!("it could not be read again: {error}"))
    }
}
