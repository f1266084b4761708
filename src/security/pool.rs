//! The hashing pool: a few threads of their own, so that hashing never slows the threads that answer.
//!
//! Argon2 on the runtime's threads, or on its blocking pool, starves every other request. Here a job waits in a
//! bounded queue until one of a fixed number of threads takes it, and these yield to the threads that answer: by their
//! priority, and by a rest after each job that others have delayed. When the queue is full, or a job has waited too
//! long in it, the caller is told to come again and nothing is hashed: one block of memory per thread and a short queue
//! are all that an attack can fill (OWASP ASVS 15.2.2).

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use argon2::Block;
use flume::{Receiver, RecvTimeoutError, Sender, TrySendError};
use rustix::process::setpriority_process;
use rustix::thread::gettid;
use tokio::sync::oneshot;

use super::timing::thread_cpu_time;
use crate::error::{Error, Result};

/// Jobs that may wait for each thread.
const QUEUE_PER_THREAD: usize = 4;

/// How long a job may wait.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(1);

/// When to come again, in seconds, for those who were turned away.
const RETRY_AFTER: u64 = 1;

/// How far hashing stands back: in the units of nice(2), where 19 is the farthest.
const NICENESS: i32 = 15;

/// How many times as long as others have kept it waiting, beyond what it worked itself, a thread rests after a job.
const BACK_OFF_FACTOR: u32 = 8;

/// How long a thread rests at most. What waits in its queue is done in time as long as a job takes less than a tenth of
/// a second, work and waiting together.
const MAX_BACK_OFF: Duration = Duration::from_millis(150);

/// How long a thread keeps its memory when there is nothing to do.
const SCRATCH_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// A thread's working memory; grows to what a job needs and is given back when idle.
pub type Scratch = Vec<Block>;

type Job = Box<dyn FnOnce(&mut Scratch) + Send>;

/// The door to the threads.
pub struct HashPool {
    queue: Sender<Job>,
    jobs: AtomicU64,
}

impl HashPool {
    /// Starts `threads` threads, or one per processor.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(threads: Option<NonZeroUsize>) -> Result<Self> {
        let threads = threads.or(thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let (queue, jobs) = flume::bounded(threads * QUEUE_PER_THREAD);
        for number in 0..threads {
            let jobs = jobs.clone();
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || run_worker(&jobs))
                .map_err(|error| Error::Internal(error.into()))?;
        }
        Ok(Self { queue, jobs: AtomicU64::new(0) })
    }

    /// How many jobs were given to the threads, or were refused because the queue was full.
    pub fn jobs(&self) -> u64 {
        self.jobs.load(Ordering::Relaxed)
    }

    /// Turns away who would find the queue full, before anything else is done for them.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub fn check_capacity(&self) -> Result<()> {
        if self.queue.is_full() { Err(Error::ServerBusy { retry_after: RETRY_AFTER }) } else { Ok(()) }
    }

    /// Runs `job` on one of the threads and waits for its result. If the caller goes away first, the job is skipped.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is too much to do; internal when the job panicked.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Scratch) -> T + Send + 'static) -> Result<T> {
        self.jobs.fetch_add(1, Ordering::Relaxed);
        let (answer, result) = oneshot::channel();
        let queued = Instant::now();
        let job: Job = Box::new(move |memory| {
            if answer.is_closed() {
                return;
            }
            let waited_too_long = queued.elapsed() > MAX_QUEUE_TIME;
            let outcome =
                if waited_too_long { Err(Error::ServerBusy { retry_after: RETRY_AFTER }) } else { Ok(job(memory)) };
            // The caller may vanish while the job runs; then nobody needs the result.
            answer.send(outcome).ok();
        });
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::ServerBusy { retry_after: RETRY_AFTER },
            TrySendError::Disconnected(_) => Error::internal("the hashing pool has stopped"),
        })?;
        result.await.map_err(|_| Error::internal("a hashing job did not finish"))?
    }
}

fn run_worker(jobs: &Receiver<Job>) {
    // On Linux this is the priority of the thread alone.
    if let Err(error) = setpriority_process(Some(gettid()), NICENESS) {
        tracing::warn!(%error, "hashing runs at ordinary priority");
    }
    let mut memory = Scratch::new();
    loop {
        let job = match jobs.recv_timeout(SCRATCH_IDLE_TIMEOUT) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                memory = Scratch::new();
                // Nothing to give back any more: sleep until there is work.
                match jobs.recv() {
                    Ok(job) => job,
                    Err(_) => return,
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let (begun, worked) = (Instant::now(), thread_cpu_time());
        if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
            tracing::error!("a hashing job panicked");
        }
        thread::sleep(back_off(begun.elapsed(), thread_cpu_time().saturating_sub(worked)));
    }
}

/// How long to leave the processors to others after a job that `took` so long and has `worked` for some of it. Priority
/// alone does not do it: beside a flood of queries such threads were seen to get ten times their share. How long one
/// was kept waiting tells how much the others want. What other logins and the machine's other guests take of that is
/// less than the work itself.
fn back_off(took: Duration, worked: Duration) -> Duration {
    (took.saturating_sub(worked * 2) * BACK_OFF_FACTOR).min(MAX_BACK_OFF)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc;

    use super::*;

    /// A pool of one thread that is busy until the sender is dropped.
    async fn busy() -> (Arc<HashPool>, mpsc::Sender<()>) {
        let pool = Arc::new(HashPool::start(NonZeroUsize::new(1)).unwrap());
        let (release, held) = mpsc::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let occupied = Arc::clone(&pool);
        tokio::spawn(async move {
            let job = move |_: &mut Scratch| {
                begun.send(()).ok();
                held.recv().ok();
            };
            occupied.run(job).await.ok();
        });
        begins.await.unwrap();
        (pool, release)
    }

    /// L2
    #[tokio::test]
    async fn skips_the_jobs_of_callers_that_went_away() {
        let (pool, release) = busy().await;
        let runs = Arc::new(AtomicUsize::new(0));
        let count = || {
            let runs = Arc::clone(&runs);
            move |_: &mut Scratch| runs.fetch_add(1, Ordering::Relaxed)
        };
        {
            let mut vanished = Box::pin(pool.run(count()));
            // Polled once, it stands in the queue; then its caller is gone.
            assert!(tokio::time::timeout(Duration::ZERO, &mut vanished).await.is_err());
        }
        drop(release);
        pool.run(count()).await.unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }

    /// L3
    #[test]
    fn rests_when_others_want_the_processors() {
        let milliseconds = Duration::from_millis;
        assert_eq!(back_off(milliseconds(20), milliseconds(20)), Duration::ZERO);
        assert_eq!(back_off(milliseconds(40), milliseconds(20)), Duration::ZERO, "logins alone");
        assert_eq!(back_off(milliseconds(50), milliseconds(20)), milliseconds(80));
        assert_eq!(back_off(milliseconds(2_000), milliseconds(20)), MAX_BACK_OFF);
    }

    /// L3: the thread begins nothing before it has rested.
    #[tokio::test]
    async fn begins_the_next_job_after_the_rest() {
        let pool = HashPool::start(NonZeroUsize::new(1)).unwrap();
        // It waits for longer than it works, as if others had the processors.
        let (_nobody, never) = mpsc::channel::<()>();
        let waits = move |_: &mut Scratch| {
            never.recv_timeout(MAX_BACK_OFF).ok();
            Instant::now()
        };
        let ended = pool.run(waits).await.unwrap();
        let begun = pool.run(|_| Instant::now()).await.unwrap();
        assert!(begun - ended >= MAX_BACK_OFF);
    }

    /// L1: what does not fit into the queue is told at once, while the thread is busy still.
    #[tokio::test]
    async fn turns_away_what_does_not_fit_into_the_queue() {
        let (pool, release) = busy().await;
        pool.check_capacity().unwrap();
        let mut waiting: Vec<_> = (0..QUEUE_PER_THREAD).map(|_| Box::pin(pool.run(|_| ()))).collect();
        for job in &mut waiting {
            assert!(tokio::time::timeout(Duration::ZERO, job).await.is_err());
        }
        assert!(matches!(pool.check_capacity(), Err(Error::ServerBusy { .. })));
        let refused = tokio::time::timeout(MAX_QUEUE_TIME * 5, pool.run(|_| ())).await.unwrap();
        assert!(matches!(refused, Err(Error::ServerBusy { retry_after: RETRY_AFTER })), "{refused:?}");
        drop(release);
        for job in waiting {
            job.await.unwrap();
        }
    }
}
