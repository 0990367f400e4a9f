//! The tail, alone and under threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use trailkeep_event::{Cut, Partition, SequencedBatch};
use trailkeep_segment::{OpenSegment, TailView};

use crate::rows::{batch, batch_in, key, row};

fn frames(view: &TailView) -> Vec<(u8, u64)> {
    view.batches().map(|batch| (batch.partition.number(), batch.frame)).collect()
}

#[test]
fn views_stay_as_they_were() {
    let tail = OpenSegment::new();
    let mut views = Vec::new();
    for frame in 0..600 {
        tail.push(batch(frame, 1, &[row("a", 1, 1), row("b", 2, 2)]));
        if frame % 100 == 0 {
            views.push((frame, tail.view()));
        }
    }
    for (frame, view) in &views {
        let n_frames = frame + 1;
        assert_eq!(frames(view), (0..n_frames).map(|frame| (0, frame)).collect::<Vec<_>>());
        assert_eq!(view.rows(), 2 * n_frames);
        assert_eq!(view.entries(&key()).count(), usize::try_from(2 * n_frames).unwrap());
    }
    assert_eq!(tail.rows(), 1200);
    assert_eq!(tail.bytes() % 600, 0);
}

#[test]
fn a_sealed_prefix_is_taken_and_dropped() {
    let tail = OpenSegment::new();
    for frame in 0..300 {
        tail.push(batch_in(0, frame, 1, &[row("a", 1, 1)]));
        tail.push(batch_in(9, frame, 1, &[row("b", 1, 1)]));
    }
    let before = tail.view();
    let mut cut = Cut::default();
    cut.set(Partition::new(0).unwrap(), 299);
    cut.set(Partition::new(9).unwrap(), 10);
    let sealed = before.up_to(&cut);
    assert_eq!(sealed.len(), 309);
    let bytes = tail.bytes();
    tail.drop_sealed(&cut);
    let after = tail.view();
    assert_eq!(after.rows(), 600 - 309);
    assert_eq!(after.bytes(), tail.bytes());
    assert!(tail.bytes() < bytes);
    assert_eq!(frames(&after)[0], (9, 10));
    assert_eq!(after.end(&Cut::default()), before.end(&Cut::default()), "a cut moves forward only");
    assert_eq!(before.rows(), 600);

    let wanted = batch_in(9, 42, 1, &[row("b", 1, 1)]).entry(&key(), 0).unwrap().stamp.position;
    let key = key();
    assert_eq!(after.find(&key, wanted).unwrap().stamp.position, wanted);
    let gone = batch_in(9, 4, 1, &[row("b", 1, 1)]).entry(&key, 0).unwrap().stamp.position;
    assert!(after.find(&key, gone).is_none());
    assert_eq!(before.find(&key, gone).unwrap().stamp.position, gone);
}

/// Whatever a reader sees is a prefix of what was pushed.
#[test]
fn views_under_pushes_and_drops_have_no_gaps() {
    const N_FRAMES: u64 = 3_000;
    let tail = OpenSegment::new();
    let done = AtomicBool::new(false);
    let batches: Vec<Arc<SequencedBatch>> =
        (0..N_FRAMES).map(|frame| batch(frame, 1, &[row("a", 1, 1)])).collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let frames: Vec<u64> = tail.view().batches().map(|batch| batch.frame).collect();
                    assert!(frames.windows(2).all(|pair| pair[0] + 1 == pair[1]));
                }
            });
        }
        for batch in &batches {
            tail.push(Arc::clone(batch));
            if batch.frame % 500 == 499 {
                let mut cut = Cut::default();
                cut.set(batch.partition, batch.frame - 100);
                tail.drop_sealed(&cut);
            }
        }
        done.store(true, Ordering::Release);
    });
    assert_eq!(frames(&tail.view()).last(), Some(&(0, N_FRAMES - 1)));
    assert_eq!(tail.rows(), 101);
}

#[test]
fn frames_come_in_order() {
    let tail = OpenSegment::new();
    tail.push(batch(4, 1, &[row("a", 1, 1)]));
    let twice = std::panic::AssertUnwindSafe(|| tail.push(batch(4, 1, &[row("a", 1, 1)])));
    let again = std::panic::catch_unwind(twice);
    assert!(again.is_err());
    assert_eq!(tail.rows(), 1);
}
