//! One flipped bit of a segment: an error that names it, or the right answer.

use std::error::Error as _;

use trailkeep_io::Disk;
use trailkeep_query::{Error, Order};
use trailkeep_scope::ReadScope;
use trailkeep_testkit::{EventMaker, Random};

use crate::world::{START, World, request};

const FLIPS: u64 = 200;

#[test]
fn a_flipped_bit_is_named_or_harmless() {
    let everything = ReadScope::everything();
    let mut random = Random::new(23);
    let mut n_named = 0;
    for flip in 0..FLIPS {
        let mut world = World::new();
        world.write(&EventMaker::new(1).take(30).collect::<Vec<_>>(), START);
        world.seal();
        let files = world.disk.list("seg").unwrap();
        let file = random.pick(&files);
        let (offset, bit) = (random.below(file.bytes), u8::try_from(random.below(8)).unwrap());
        world.disk.flip_bit(&format!("seg/{}", file.name), offset, bit).unwrap();
        let place = format!("{flip}: bit {bit} of byte {offset} of {}", file.name);

        let request = request("status:>=200", Order::Descending, 50);
        match world.engine.list(&everything, &request) {
            Ok(page) => {
                assert_eq!(page.entries, world.expected(&everything, &request), "{place}");
            }
            Err(error) => {
                assert_named(&error, &place);
                n_named += 1;
            }
        }
        for entry in world.entries.iter().step_by(7) {
            match world.engine.get(&everything, entry.stamp.id) {
                Ok(found) => assert_eq!(found.as_ref(), Some(entry), "{place}"),
                Err(error) => assert_named(&error, &place),
            }
        }
    }
    assert!(n_named > FLIPS / 4, "the list reads a part of the segment: {n_named}");
}

/// The error names the segment, the column and the offset.
fn assert_named(error: &Error, place: &str) {
    let Error::Segment(_) = error else { panic!("{place}: {error:?}") };
    let source = error.source().unwrap().to_string();
    assert!(source.starts_with("segment `") && source.contains("is corrupt"), "{place}: {source}");
}
