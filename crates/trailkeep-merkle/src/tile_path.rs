//! The name of a tile below a log's prefix.

use std::fmt;

use crate::text::decimal;

/// The highest level of a tile.
const LEVEL_MAX: u8 = 63;
/// The width of a full tile.
const FULL: u16 = 256;
/// The most elements of a tile's number: 2^64 has 20 digits.
const ELEMENTS_MAX: usize = 7;

/// What a tile holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TileKind {
    /// Hashes of a level; those of level 0 are of leaves.
    Hashes(u8),
    /// The leaves themselves.
    Entries,
}

/// The name of a tile: `<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TilePath {
    /// What it holds.
    pub kind: TileKind,
    /// Its number on its level.
    pub index: u64,
    /// How many hashes or entries it has: 1 to 256.
    pub width: u16,
}

impl TilePath {
    /// Reads what follows `tile/`. Only the one right form is taken.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, rest) = text.split_once('/')?;
        let kind = match first {
            "entries" => TileKind::Entries,
            level => {
                TileKind::Hashes(u8::try_from(decimal(level)?).ok().filter(|it| *it <= LEVEL_MAX)?)
            }
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => {
                (number, u16::try_from(decimal(width)?).ok().filter(|it| (1..FULL).contains(it))?)
            }
            None => (rest, FULL),
        };
        Some(Self { kind, index: index(number)?, width })
    }

    /// Returns the tile of a level that has the hash with some number, as wide as it is in a tree
    /// of so many leaves; `None` where the tree has no such hash.
    pub fn holding(level: u8, number: u64, n_leaves: u64) -> Option<Self> {
        let shift = u32::from(level).checked_mul(8)?;
        let n_hashes = n_leaves.checked_shr(shift).unwrap_or(0);
        if number >= n_hashes {
            return None;
        }
        let index = number.checked_div(u64::from(FULL))?;
        let before = index.checked_mul(u64::from(FULL))?;
        let width = n_hashes.checked_sub(before)?.min(u64::from(FULL));
        Some(Self { kind: TileKind::Hashes(level), index, width: u16::try_from(width).ok()? })
    }
}

/// Reads a tile's number: groups of three digits, all but the last after an `x`.
fn index(text: &str) -> Option<u64> {
    let mut digits = String::new();
    let mut elements = text.split('/').peekable();
    for _ in 0..ELEMENTS_MAX {
        let element = elements.next()?;
        let is_last = elements.peek().is_none();
        let group = if is_last { element } else { element.strip_prefix('x')? };
        if group.len() != 3 || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if digits.is_empty() && group == "000" && !is_last {
            return None;
        }
        digits.push_str(group);
        if is_last {
            return digits.parse().ok();
        }
    }
    None
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "{level}/")?,
            TileKind::Entries => f.write_str("entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        while let Some(group) = groups.pop() {
            if groups.is_empty() {
                write!(f, "{group:03}")?;
            } else {
                write!(f, "x{group:03}/")?;
            }
        }
        if self.width < FULL { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples_of_the_specification() {
        let path = TilePath { kind: TileKind::Hashes(0), index: 1_234_067, width: 256 };
        assert_eq!(path.to_string(), "0/x001/x234/067");
        let path = TilePath { kind: TileKind::Entries, index: 0, width: 8 };
        assert_eq!(path.to_string(), "entries/000.p/8");
        // A tree of 70,000: 273 full tiles and one of 112, one and 17, one of 1.
        let tile =
            |level, number| TilePath::holding(level, number, 70_000).map(|it| (it.index, it.width));
        assert_eq!(tile(0, 69_887), Some((272, 256)));
        assert_eq!(tile(0, 69_888), Some((273, 112)));
        assert_eq!(tile(1, 272), Some((1, 17)));
        assert_eq!(tile(2, 0), Some((0, 1)));
        assert_eq!(tile(0, 70_000), None);
        assert_eq!(tile(3, 0), None);
        assert_eq!(tile(63, 0), None);
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "0",
            "0/",
            "0/1",
            "0/0001",
            "64/000",
            "00/000",
            "-1/000",
            "0/x000/001",
            "0/x001",
            "0/001/002",
            "0/x001/x002",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p",
            "entries/abc",
            "0/000/",
            "0/../000",
            "0/x999/x999/x999/x999/x999/x999/x999/999",
            "0/x999/x999/x999/x999/x999/x999/999",
            "0/ 000",
            "8/0/000",
            "data/000",
        ] {
            assert_eq!(TilePath::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_read_back(index in any::<u64>(), level in 0_u8..=63, width in 1_u16..=256, entries in any::<bool>()) {
            let kind = if entries { TileKind::Entries } else { TileKind::Hashes(level) };
            let path = TilePath { kind, index, width };
            prop_assert_eq!(TilePath::parse(&path.to_string()), Some(path));
        }

        #[test]
        fn what_is_read_has_one_form(text in "(0|3|entries|63)/(x[0-9]{3}/){0,3}[0-9]{1,4}(\\.p/[0-9]{1,3})?") {
            if let Some(path) = TilePath::parse(&text) {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
