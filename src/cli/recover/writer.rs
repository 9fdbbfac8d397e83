//! Where sources and skeletons are written, while units come in.

use std::collections::HashMap;

use crate::blob::{Locator, MemberName, Sha256Digest};
use crate::cli::CliError;
use crate::cli::output::OutputFolder;
use crate::record::SkeletonRow;
use crate::scan::facts::{Child, Standing};
use crate::sourcemap::layout::{self, Layout, Slot};
use crate::sourcemap::resolve_source;
use crate::sourcemap::skeleton::{self, ROOM_FACTOR, Skeleton};

/// Times that a script may be drawn by all maps that name it.
const DRAWN_MAX: usize = 4;

/// Writes below one folder.
pub struct Writer<'a> {
    /// The output folder.
    pub folder: &'a OutputFolder,
    layout: Layout,
    /// Path of each source below the output folder, by locator.
    pub written: HashMap<String, String>,
    /// Skeletons, by the locator of the source.
    pub skeletons: HashMap<String, SkeletonRow>,
    /// Bytes that were drawn of each script.
    drawn: HashMap<String, usize>,
    /// Files with sources.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

impl<'a> Writer<'a> {
    /// Nothing written yet.
    pub fn new(folder: &'a OutputFolder) -> Self {
        Self {
            folder,
            layout: Layout::default(),
            written: HashMap::new(),
            skeletons: HashMap::new(),
            drawn: HashMap::new(),
            files: 0,
            bytes: 0,
        }
    }

    /// Writes a source.
    pub fn take(&mut self, child: &Child, standing: &Standing) -> Result<(), CliError> {
        let (Some(meta), Some(kept), Some(sha256)) = (&child.source, &child.kept, child.sha256)
        else {
            return Ok(());
        };
        let name = meta.name.as_deref().unwrap_or_default();
        let url = resolve_source(standing.path, meta.source_root.as_deref(), name);
        let (path, is_new) = self.place(standing.above, &url, &sha256, |folder, path| {
            folder.write(path, &kept.bytes())
        })?;
        if is_new {
            self.files += 1;
            self.bytes += child.len;
        }
        self.written.insert(standing.at.as_str().to_owned(), path);
        Ok(())
    }

    /// Lays out what a script says of the sources that a map has no content of, and writes it beside where they would
    /// stand. `from` is where the script is.
    pub fn draw(
        &mut self,
        map: &Standing,
        bytes: &[u8],
        script: &[u8],
        from: &Locator,
    ) -> Result<(), CliError> {
        // Any number of maps may name one script: there is room for some, not for all that somebody can write down.
        let used = self.drawn.entry(from.as_str().to_owned()).or_insert(0);
        let room = (script.len() * DRAWN_MAX + bytes.len() * ROOM_FACTOR).saturating_sub(*used);
        let skeletons = skeleton::of_missing(bytes, script, room);
        *used += skeletons.iter().map(|one| one.text.len()).sum::<usize>();
        for skeleton in skeletons {
            self.take_skeleton(map, &skeleton, from)?;
        }
        Ok(())
    }

    fn take_skeleton(
        &mut self,
        map: &Standing,
        skeleton: &Skeleton,
        from: &Locator,
    ) -> Result<(), CliError> {
        let root = skeleton.source_root.as_deref();
        let mut url = resolve_source(map.path, root, &skeleton.name);
        url.extend_from_slice(b".skeleton");
        // A source of the same name and text is another thing, and a file of its own.
        let other = Sha256Digest::of(&[b"skeleton\0", &skeleton.text[..]].concat());
        let (path, _) = self.place(map.above, &url, &other, |folder, path| {
            folder.write(path, &skeleton.text)
        })?;
        let name = MemberName::Named(skeleton.name.clone());
        let at = map.at.member("source-map", &name, skeleton.ordinal);
        self.skeletons.insert(
            at.as_str().to_owned(),
            SkeletonRow {
                skeleton_path: path,
                skeleton_from: from.as_str().to_owned(),
                skeleton_sha256: Sha256Digest::of(&skeleton.text).hex(),
                skeleton_cut: skeleton.is_cut,
            },
        );
        Ok(())
    }

    /// Finds a path, and writes where nothing of the same content and name is yet. Says whether it did.
    fn place(
        &mut self,
        above: &[Vec<u8>],
        url: &[u8],
        sha256: &Sha256Digest,
        write: impl FnOnce(&OutputFolder, &str) -> Result<(), CliError>,
    ) -> Result<(String, bool), CliError> {
        let root: Vec<String> = above
            .iter()
            .flat_map(|name| name.split(|&byte| byte == b'/'))
            .filter(|part| !part.is_empty())
            .map(layout::component)
            .collect();
        match self.layout.place(&root, url, &sha256.0) {
            Slot::There(path) => Ok((format!("sources/{path}"), false)),
            Slot::New(path) => {
                let path = format!("sources/{path}");
                if let Some((folder, _)) = path.rsplit_once('/') {
                    self.folder.make_folder(folder)?;
                }
                write(self.folder, &path)?;
                Ok((path, true))
            }
        }
    }
}
