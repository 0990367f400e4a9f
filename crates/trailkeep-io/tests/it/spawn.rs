//! Tasks are named, counted and waited for.

use std::time::Duration;

use tokio::sync::oneshot;
use trailkeep_io::{Error, Tasks};

/// Far longer than any of these tasks takes.
const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn tasks_and_threads_are_counted_until_they_end() {
    let tasks = Tasks::new();
    let (end_task, task_ends) = oneshot::channel::<()>();
    let (end_thread, thread_ends) = oneshot::channel::<()>();
    tasks.spawn("task", async move { task_ends.await.unwrap() });
    tasks.spawn_thread("thread", move || thread_ends.blocking_recv().unwrap()).unwrap();
    assert_eq!(tasks.running(), ["task", "thread"]);
    let late = tasks.join(Duration::ZERO).await.unwrap_err();
    assert_eq!(late.to_string(), "tasks still running: task, thread");

    end_task.send(()).unwrap();
    end_thread.send(()).unwrap();
    tasks.join(LONG).await.unwrap();
    assert!(tasks.running().is_empty());
}

#[tokio::test]
async fn a_panic_ends_only_its_task() {
    let tasks = Tasks::new();
    tasks.spawn("task", async { panic!("on purpose") });
    tasks.spawn_thread("thread", || panic!("on purpose")).unwrap();
    let lost = tasks.spawn_blocking("work", || -> u8 { panic!("on purpose") }).await;
    assert!(matches!(lost, Err(Error::TaskLost { name: "work", .. })));
    tasks.join(LONG).await.unwrap();
}

#[tokio::test]
async fn blocking_work_gives_its_answer() {
    let tasks = Tasks::new();
    assert_eq!(tasks.spawn_blocking("work", || 6 * 7).await.unwrap(), 42);
    tasks.join(LONG).await.unwrap();
}

#[test]
fn tasks_of_a_runtime_that_shuts_down_are_over() {
    let tasks = Tasks::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let guard = runtime.enter();
    tasks.spawn("never", std::future::pending());
    drop(guard);
    assert_eq!(tasks.running(), ["never"]);
    drop(runtime);
    assert!(tasks.running().is_empty());
}
