//! The names on the disk: what they are and which of them are durable.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::inode::Inode;
use crate::{DirEntry, disk_path, size::u64_of, splitmix::SplitMix};

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Node {
    File(Arc<Mutex<Inode>>),
    Folder,
}

/// A name that a change gives, or takes away.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    folder: String,
    name: String,
    node: Option<Node>,
}

impl Effect {
    pub(super) fn new(path: &str, node: Option<Node>) -> Self {
        let (folder, name) = disk_path::split(path);
        Self { folder: folder.to_owned(), name: name.to_owned(), node }
    }
}

type Names = BTreeMap<String, Node>;

/// What happens to names at once: one effect, or the two of a rename.
type Change = Vec<Effect>;

/// The folders of a disk. Folders are never removed, so a path is always the same folder.
#[derive(Debug, Default)]
pub(super) struct Tree {
    live: BTreeMap<String, Names>,
    durable: BTreeMap<String, Names>,
    /// The changes that are not durable, in order.
    pending: Vec<Change>,
}

impl Tree {
    pub(super) fn new() -> Self {
        let root = BTreeMap::from([(String::new(), Names::new())]);
        Self { live: root, ..Self::default() }
    }

    pub(super) fn file(&self, path: &str) -> io::Result<Arc<Mutex<Inode>>> {
        match self.node(path)? {
            Some(Node::File(inode)) => Ok(Arc::clone(inode)),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn create(&mut self, path: &str) -> io::Result<Arc<Mutex<Inode>>> {
        if self.node(path)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = Arc::default();
        self.change(vec![Effect::new(path, Some(Node::File(Arc::clone(&inode))))]);
        Ok(inode)
    }

    pub(super) fn create_dir_all(&mut self, folder: &str) -> io::Result<()> {
        for folder in disk_path::folders_down_to(folder) {
            match self.node(folder)? {
                Some(Node::Folder) => {}
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => {
                    self.live.insert(folder.to_owned(), Names::new());
                    self.change(vec![Effect::new(folder, Some(Node::Folder))]);
                }
            }
        }
        Ok(())
    }

    pub(super) fn list(&self, folder: &str) -> io::Result<Vec<DirEntry>> {
        self.check_folder(folder)?;
        let names = self.live.get(folder).into_iter().flatten();
        let entry = |(name, node): (&String, &Node)| match node {
            Node::File(inode) => {
                let bytes = u64_of(inode.lock().live().len());
                DirEntry { name: name.clone(), bytes, folder: false }
            }
            Node::Folder => DirEntry { name: name.clone(), bytes: 0, folder: true },
        };
        Ok(names.map(entry).collect())
    }

    /// Checks that there is such a folder.
    pub(super) fn check_folder(&self, folder: &str) -> io::Result<()> {
        if folder.is_empty() {
            return Ok(());
        }
        match self.node(folder)? {
            Some(Node::Folder) => Ok(()),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Makes a change, which is not durable yet.
    pub(super) fn change(&mut self, change: Change) {
        apply(&mut self.live, &change);
        self.pending.push(change);
    }

    /// Makes the changes in `folder` durable, and with them all that came before in the folders
    /// that they share a rename with.
    pub(super) fn sync(&mut self, folder: &str) -> io::Result<()> {
        self.check_folder(folder)?;
        let mut folders = vec![folder.to_owned()];
        let mut synced = Vec::new();
        let mut left = Vec::new();
        for change in self.pending.drain(..).rev() {
            if change.iter().any(|effect| folders.contains(&effect.folder)) {
                folders.extend(change.iter().map(|effect| effect.folder.clone()));
                synced.push(change);
            } else {
                left.push(change);
            }
        }
        left.reverse();
        self.pending = left;
        for change in synced.iter().rev() {
            apply(&mut self.durable, change);
        }
        Ok(())
    }

    /// Returns the tree as a power cut leaves it, with what is left of its files.
    pub(super) fn survive(&self, random: &mut SplitMix) -> Self {
        let mut names = self.durable.clone();
        for change in self.surviving(random) {
            apply(&mut names, change);
        }
        // A folder whose own name did not survive is gone with all that is in it.
        let mut kept = BTreeMap::new();
        let mut waiting = vec![String::new()];
        while let Some(folder) = waiting.pop() {
            let mut nodes = names.remove(&folder).unwrap_or_default();
            for (name, node) in &mut nodes {
                match node {
                    Node::File(inode) => {
                        let inode = inode.lock().survive(random);
                        *node = Node::File(Arc::new(Mutex::new(inode)));
                    }
                    Node::Folder => waiting.push(disk_path::join(&folder, name)),
                }
            }
            kept.insert(folder, nodes);
        }
        Self { live: kept.clone(), durable: kept, pending: Vec::new() }
    }

    /// Returns the changes that a power cut keeps: a prefix of those of each folder.
    fn surviving(&self, random: &mut SplitMix) -> Vec<&Change> {
        let mut budgets: BTreeMap<&str, usize> = BTreeMap::new();
        for effect in self.pending.iter().flatten() {
            *budgets.entry(&effect.folder).or_default() += 1;
        }
        for budget in budgets.values_mut() {
            *budget = random.up_to(*budget);
        }
        let mut surviving = Vec::new();
        for change in &self.pending {
            let kept = change.iter().all(|effect| budgets.get(&*effect.folder) > Some(&0));
            let left = |budget: usize| if kept { budget.saturating_sub(1) } else { 0 };
            for effect in change {
                let budget = budgets.entry(&effect.folder).or_default();
                *budget = left(*budget);
            }
            surviving.extend(kept.then_some(change));
        }
        surviving
    }

    /// Returns what has a name, in a folder that must exist.
    fn node(&self, path: &str) -> io::Result<Option<&Node>> {
        let (folder, name) = disk_path::split(path);
        match self.live.get(folder) {
            Some(names) => Ok(names.get(name)),
            None if self.names_file(folder) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Returns the lengths of all files together.
    pub(super) fn used_bytes(&self) -> u64 {
        let length = |node: &Node| match node {
            Node::File(inode) => u64_of(inode.lock().live().len()),
            Node::Folder => 0,
        };
        self.live.values().flat_map(BTreeMap::values).map(length).sum()
    }

    /// Returns whether a path, or a beginning of it, is a file.
    fn names_file(&self, path: &str) -> bool {
        disk_path::folders_down_to(path).any(|beginning| {
            let (folder, name) = disk_path::split(beginning);
            matches!(self.live.get(folder).and_then(|names| names.get(name)), Some(Node::File(_)))
        })
    }
}

fn apply(folders: &mut BTreeMap<String, Names>, change: &Change) {
    for Effect { folder, name, node } in change {
        let names = folders.entry(folder.clone()).or_default();
        match node {
            Some(node) => names.insert(name.clone(), node.clone()),
            None => names.remove(name),
        };
    }
}
