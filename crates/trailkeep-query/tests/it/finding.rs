//! Finding one entry by its identifier.

use trailkeep_event::EventId;
use trailkeep_scope::ReadScope;
use trailkeep_testkit::EventMaker;

use crate::world::{START, World};

#[test]
fn an_identifier_leads_to_its_entry_in_tail_segment_and_merged_segment() {
    let everything = ReadScope::everything();
    let mut world = World::new();
    let mut maker = EventMaker::new(5);
    let check = |world: &World| {
        for entry in &world.entries {
            let found = world.engine.get(&everything, entry.stamp.id).unwrap();
            assert_eq!(found.as_ref(), Some(entry));
        }
    };
    for _ in 0..3 {
        world.write(&maker.by_ref().take(20).collect::<Vec<_>>(), START);
        check(&world);
        world.seal();
        check(&world);
    }
    world.compact();
    check(&world);
}

/// Only whole identifiers name an entry: one with another time, or of nobody, is not found.
#[test]
fn an_identifier_that_is_not_whole_leads_nowhere() {
    let mut world = World::new();
    world.write(&EventMaker::new(5).take(10).collect::<Vec<_>>(), START);
    let id = world.entries[3].stamp.id;
    for sealed in [false, true] {
        if sealed {
            world.seal();
        }
        for byte in 0..16 {
            for bit in 0..8 {
                let mut other = id;
                other.0[byte] ^= 1 << bit;
                let found = world.engine.get(&ReadScope::everything(), other).unwrap();
                assert_eq!(found, None, "byte {byte}, bit {bit}, sealed: {sealed}");
            }
        }
        let none = world.engine.get(&ReadScope::everything(), EventId([0; 16])).unwrap();
        assert_eq!(none, None);
    }
}
