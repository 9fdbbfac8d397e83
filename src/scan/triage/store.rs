//! A git store by the names that its indexes give its objects.
//!
//! The same store may lie in a folder, or in an archive whose members can be read where they stand. Its objects are asked
//! for by name; of the files beside them those are read whose length fits, as anywhere.

use std::sync::Arc;

use super::{Account, Opened, Own, Reason, Stands, Triage, not_held};
use crate::blob::{Locator, MemberName};
use crate::container::Trouble;
use crate::container::git::Hash;
use crate::container::git::names::StoreNames;
use crate::container::git::store::{KIND, StoreFile, StoreFiles};
use crate::record::{Basis, Grade};
use crate::scan::input::{self, InputRoot, Unit};
use crate::scan::unit::{self, FolderFiles};

/// Triages a store that is a unit.
pub(super) fn unit(
    account: &mut Account,
    root: &InputRoot,
    row: &Unit,
    files: &Arc<Vec<StoreFile>>,
    at: &Locator,
) -> Own {
    let around = account.scan.around();
    let files = FolderFiles::new(input::path_of(root, row), files, around.whole_max);
    let (_, absent) = around.borrowed(&files);
    for path in absent {
        account.say(&unit::borrowed_trouble(&path), at);
    }
    let mut opened = Opened::new(at.clone(), KIND, row.stamp.size);
    let open = |number: usize| match files.open(number) {
        Ok(input) => Stands::At(input),
        Err(trouble) => Stands::Absent(trouble),
    };
    objects(account, &mut opened, &files, open);
    account.close(opened);
    let mut own = Own {
        archive: Some(KIND),
        ..Own::default()
    };
    match unit::store_change(root, row) {
        Some(trouble) => {
            own.may_pass = true;
            account.lose(&trouble, at);
        }
        None => account.headers_only(),
    }
    own
}

/// Triages the objects of a store and the files beside them. `stands` says where the bytes of a file are.
pub(super) fn objects(
    account: &mut Account,
    opened: &mut Opened,
    files: &dyn StoreFiles,
    stands: impl Fn(usize) -> Stands,
) {
    let names = StoreNames::of(files, &account.scan.analyser.limits);
    for trouble in &names.troubles {
        account.say(trouble, &opened.at);
    }
    for (kind, count) in &names.counted {
        if *count > 0 {
            *account.tally.other.entry((*kind).to_owned()).or_insert(0) += *count as u64;
        }
    }
    for &number in &names.others {
        let StoreFile { path, len } = &files.list()[number];
        let name = MemberName::Named(path.clone());
        if account.triage.is_wanted(*len) {
            account.member(opened, &name, *len, || stands(number));
        } else {
            account.skip(opened, Reason::Length, 1, Some(*len));
        }
    }
    for &number in &names.unnamed {
        account.skip(opened, Reason::Packed, 1, Some(files.list()[number].len));
    }
    match names.settings.hash {
        Hash::Sha1 => {
            let without = account.triage.without_git;
            if without > 0 {
                account.say(&not_held(without, "git ids"), &opened.at);
            }
            if !account.triage.asks_git {
                let count = names.each::<20>(|_| ());
                account.skip(opened, Reason::Packed, count, None);
                return;
            }
            let count = names.each::<20>(|id| object(account, opened, id));
            account.skip(opened, Reason::Id, count, None);
        }
        Hash::Sha256 => {
            let count = names.each::<32>(|_| ());
            if count > 0 {
                account.say(
                    &Trouble::odd(
                        "triage-names",
                        "its objects are named by SHA-256, which the sets do not hold: none of them was looked at",
                    ),
                    &opened.at,
                );
            }
            account.skip(opened, Reason::Packed, count, None);
        }
    }
}

/// Holds the name of an object against the sets.
fn object(account: &mut Account, opened: &Opened, id: &[u8; 20]) {
    let sets = account.sets();
    let found = Triage::matches(sets, Grade::Exact, |set| set.find_git(id));
    let mut found = found.peekable();
    if found.peek().is_none() {
        return;
    }
    let found: Vec<_> = found.collect();
    let name = MemberName::Named(crate::blob::digest::hex(id).into_bytes());
    let at = opened.at.member(opened.kind, &name, 1);
    account.tell(&found, &at, Basis::Id, None);
}
