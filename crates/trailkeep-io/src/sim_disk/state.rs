//! What the clones of a simulated disk share.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{
    fault::{FaultKind, FaultOp, Faults},
    inode::Inode,
    tree::{Effect, Node, Tree},
};
use crate::{Space, disk_path, size::u64_of, splitmix::SplitMix};

/// How much a simulated disk holds until a test says otherwise.
const CAPACITY_BYTES: u64 = 1 << 40;

#[derive(Debug)]
pub(super) struct State {
    pub(super) tree: Tree,
    pub(super) faults: Faults,
    random: SplitMix,
    power: Power,
    capacity_bytes: u64,
    used_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
enum Power {
    On,
    Off,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            tree: Tree::new(),
            faults: Faults::default(),
            random: SplitMix::new(seed),
            power: Power::On,
            capacity_bytes: CAPACITY_BYTES,
            used_bytes: 0,
        }
    }

    /// Returns the state that a power cut leaves.
    pub(super) fn survive(&mut self) -> Self {
        let tree = self.tree.survive(&mut self.random);
        let used_bytes = tree.used_bytes();
        let random = SplitMix::new(self.random.next());
        Self {
            tree,
            faults: Faults::default(),
            random,
            power: Power::On,
            capacity_bytes: self.capacity_bytes,
            used_bytes,
        }
    }

    pub(super) fn check_power(&self) -> io::Result<()> {
        match self.power {
            Power::On => Ok(()),
            Power::Off => Err(io::Error::other("power is off")),
        }
    }

    /// Does one operation, or fails it as planned.
    pub(super) fn perform<T>(
        &mut self,
        op: FaultOp,
        effect: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        self.check_power()?;
        match self.faults.fire(op) {
            None => effect(self),
            Some(FaultKind::NotDone) => Err(io::Error::other("injected fault, not done")),
            Some(FaultKind::NoSpace) => Err(io::ErrorKind::StorageFull.into()),
            Some(FaultKind::Done) => {
                effect(self)?;
                Err(io::Error::other("injected fault, done"))
            }
            Some(FaultKind::PowerOff) => {
                self.power = Power::Off;
                if self.random.coin() {
                    effect(self)?;
                }
                Err(io::Error::other("power is off"))
            }
        }
    }

    pub(super) fn space(&self) -> Space {
        Space {
            free_bytes: self.capacity_bytes.saturating_sub(self.used_bytes),
            total_bytes: self.capacity_bytes,
        }
    }

    pub(super) fn set_free_bytes(&mut self, bytes: u64) {
        self.capacity_bytes = self.used_bytes.saturating_add(bytes);
    }

    /// Takes room for a file that grows.
    pub(super) fn take(&mut self, bytes: usize) -> io::Result<()> {
        let bytes = u64_of(bytes);
        if bytes > self.space().free_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.used_bytes = self.used_bytes.saturating_add(bytes);
        Ok(())
    }

    /// Gives back the room of bytes that are gone.
    pub(super) fn give_back(&mut self, bytes: usize) {
        self.used_bytes = self.used_bytes.saturating_sub(u64_of(bytes));
    }

    pub(super) fn write_raw(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let inode = Inode::durable_of(bytes);
        let folder = disk_path::split(path).0;
        self.tree.create_dir_all(folder)?;
        match self.tree.file(path) {
            // Those who have the file open see the new bytes.
            Ok(existing) => *existing.lock() = inode,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let node = Node::File(Arc::new(Mutex::new(inode)));
                self.tree.change(vec![Effect::new(path, Some(node))]);
            }
            Err(error) => return Err(error),
        }
        self.used_bytes = self.tree.used_bytes();
        for folder in std::iter::once("").chain(disk_path::folders_down_to(folder)) {
            self.tree.sync(folder)?;
        }
        Ok(())
    }
}
