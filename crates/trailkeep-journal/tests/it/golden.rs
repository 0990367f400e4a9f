//! The bytes that no release may change.

use std::fmt::Write;

use trailkeep_event::Cut;
use trailkeep_io::SimDisk;

use crate::support::{append, batch, file_path, open, partition, replay};

const GOLDEN: &str = include_str!("../golden/journal-v1.hex");

/// Lines of 32 bytes with their offset; lines of zeros are left out.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (n, line) in bytes.chunks(32).enumerate() {
        if line.iter().any(|byte| *byte != 0) {
            write!(text, "{:04x}:", n * 32).unwrap();
            for byte in line {
                write!(text, " {byte:02x}").unwrap();
            }
            text.push('\n');
        }
    }
    text
}

fn load(text: &str) -> Vec<u8> {
    let mut bytes = vec![0; 8192];
    for line in text.lines() {
        let (offset, hex) = line.split_once(": ").unwrap();
        let offset = usize::from_str_radix(offset, 16).unwrap();
        for (slot, byte) in bytes[offset..].iter_mut().zip(hex.split(' ')) {
            *slot = u8::from_str_radix(byte, 16).unwrap();
        }
    }
    bytes
}

#[test]
fn version_1_is_written_and_read_as_ever() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(&disk, &Cut::default());
    let mut stored = Vec::new();
    let group = [batch(partition(3), 1, 20), batch(partition(12), 2, 600)];
    append(&mut journal, &group, &mut stored).unwrap();
    append(&mut journal, &[batch(partition(3), 3, 0)], &mut stored).unwrap();
    assert_eq!(dump(&disk.read_all(&file_path(1)).unwrap()), GOLDEN);

    let disk = SimDisk::new(2);
    disk.write_raw(&file_path(1), &load(GOLDEN)).unwrap();
    let (journal, _) = open(&disk, &Cut::default());
    assert_eq!(replay(&journal.reader(), &Cut::default()), stored);
}
