//! Places for what takes a while, shared fairly among keys.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// One key takes at most one half of the places: whatever it does, others are served. Where there
/// is one place only, it is everybody's.
const SHARES: usize = 2;

/// So many places for all, of which one key takes no more than its share. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    share: usize,
    /// What is left of each key's share; only keys that hold or wait for a place are here.
    keys: Arc<Mutex<HashMap<Arc<str>, Arc<Semaphore>>>>,
}

/// A place; given back on drop.
#[derive(Debug)]
pub(crate) struct Place {
    _share: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

/// How long to wait for a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For one of the key's share.
    pub(crate) share: Duration,
    /// For one of all.
    pub(crate) all: Duration,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Taken {
    /// The key holds its share.
    Share,
    /// All are taken.
    All,
}

impl Places {
    /// Divides places that are all free now.
    pub(crate) fn new(all: Arc<Semaphore>) -> Self {
        let share = all.available_permits().div_euclid(SHARES).max(1);
        Self { all, share, keys: Arc::default() }
    }

    /// Takes a place, or says at once why there is none.
    pub(crate) fn take(&self, key_id: &str) -> Result<Place, Taken> {
        let share = self.share_of(key_id).try_acquire_owned().map_err(|_none| Taken::Share)?;
        let place = Arc::clone(&self.all).try_acquire_owned().map_err(|_none| Taken::All)?;
        Ok(Place { _share: share, _place: place })
    }

    /// Waits for a place: first for one of the key's share, where it stands in nobody's way, then
    /// for one of all.
    pub(crate) async fn wait(&self, key_id: &str, patience: Patience) -> Result<Place, Taken> {
        let share = timeout(patience.share, self.share_of(key_id).acquire_owned()).await;
        let Ok(Ok(share)) = share else { return Err(Taken::Share) };
        let place = timeout(patience.all, Arc::clone(&self.all).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(Taken::All) };
        Ok(Place { _share: share, _place: place })
    }

    fn share_of(&self, key_id: &str) -> Arc<Semaphore> {
        let mut keys = self.keys.lock();
        if let Some(share) = keys.get(key_id) {
            return Arc::clone(share);
        }
        keys.retain(|_key_id, share| Arc::strong_count(share) > 1);
        let share = Arc::new(Semaphore::new(self.share));
        keys.insert(Arc::from(key_id), Arc::clone(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Patience = Patience { share: Duration::ZERO, all: Duration::ZERO };
    const LONG: Patience =
        Patience { share: Duration::from_secs(20), all: Duration::from_secs(20) };

    #[tokio::test]
    async fn one_key_never_takes_all_places() {
        let places = Places::new(Arc::new(Semaphore::new(5)));
        let first = places.take("a").unwrap();
        let second = places.wait("a", AT_ONCE).await.unwrap();
        assert_eq!(places.take("a").unwrap_err(), Taken::Share);
        assert_eq!(places.wait("a", AT_ONCE).await.unwrap_err(), Taken::Share);
        let of_b = (places.take("b").unwrap(), places.take("b").unwrap());
        let of_c = places.take("c").unwrap();
        assert_eq!(places.take("d").unwrap_err(), Taken::All);
        assert_eq!(places.wait("d", AT_ONCE).await.unwrap_err(), Taken::All);
        drop((first, of_b));
        // What is given back is given again, to those who waited in vain before, too.
        let again = (places.take("d").unwrap(), places.take("a").unwrap());
        drop((again, second, of_c));
        assert_eq!(places.all.available_permits(), 5);
    }

    #[tokio::test]
    async fn who_waits_for_a_share_gets_the_next_one() {
        let places = Places::new(Arc::new(Semaphore::new(4)));
        let held = (places.take("a").unwrap(), places.take("a").unwrap());
        let (waited, ()) = tokio::join!(places.wait("a", LONG), async { drop(held) });
        drop(waited.unwrap());
    }

    #[test]
    fn keys_that_hold_nothing_are_forgotten() {
        let places = Places::new(Arc::new(Semaphore::new(1)));
        for n in 0..100 {
            drop(places.take(&n.to_string()).unwrap());
        }
        assert!(places.keys.lock().len() <= 1);
    }
}
