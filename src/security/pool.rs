//! The hashing pool: dedicated threads, so that hashing does not slow request handling.
//!
//! Argon2 on the runtime's threads, or on its blocking pool, starves every other request. Here a job waits in a bounded
//! queue for one of a fixed number of threads. These yield to request handling by their priority, and by a pause after
//! each job that was preempted. When the queue is full, or a job has waited too long, the caller gets
//! [`Error::ServerBusy`] and nothing is hashed. An attack can thus fill one block of memory per thread and a short
//! queue (OWASP ASVS 15.2.2).

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use flume::{Receiver, RecvTimeoutError, Sender, TrySendError};
use rustix::process::setpriority_process;
use rustix::thread::gettid;
use tokio::sync::oneshot;

use super::schemes::argon2id::Scratch;
use super::timing::thread_cpu_time;
use crate::error::{Error, Result};

/// Queued jobs per thread.
const QUEUE_PER_THREAD: usize = 4;

/// Longest time that a job may be queued.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(1);

/// `Retry-After` of rejected jobs, in seconds.
const RETRY_AFTER: u64 = 1;

/// Niceness of the hashing threads, as in nice(2), where 19 is the lowest priority.
const NICENESS: i32 = 15;

/// Pause after a job, as a multiple of the time it was preempted beyond its own CPU time.
const BACK_OFF_FACTOR: u32 = 8;

/// Longest pause. Queued jobs finish in time as long as one takes less than a tenth of a second, CPU and waiting
/// together.
const MAX_BACK_OFF: Duration = Duration::from_millis(150);

/// Idle time after which a thread releases its memory.
const SCRATCH_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Scratch) + Send>;

/// The queue of the hashing threads.
pub struct HashPool {
    queue: Sender<Job>,
    jobs: AtomicU64,
}

impl HashPool {
    /// Starts `threads` threads, or one per processor.
    ///
    /// # Errors
    /// If the operating system cannot create a thread.
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

    /// Number of jobs so far, including those rejected because the queue was full.
    pub fn jobs(&self) -> u64 {
        self.jobs.load(Ordering::Relaxed)
    }

    /// Rejects early, before other work is done, if the queue is full.
    ///
    /// # Errors
    /// [`Error::ServerBusy`].
    pub fn check_capacity(&self) -> Result<()> {
        if self.queue.is_full() { Err(Error::ServerBusy { retry_after: RETRY_AFTER }) } else { Ok(()) }
    }

    /// Runs `job` on one of the threads and waits for its result. A job whose caller is gone is skipped.
    ///
    /// # Errors
    /// [`Error::ServerBusy`] if the queue is full or the job was queued too long; internal if the job panicked.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Scratch) -> T + Send + 'static) -> Result<T> {
        self.jobs.fetch_add(1, Ordering::Relaxed);
        let (reply, result) = oneshot::channel();
        let queued = Instant::now();
        let job: Job = Box::new(move |scratch| {
            if reply.is_closed() {
                return;
            }
            let waited_too_long = queued.elapsed() > MAX_QUEUE_TIME;
            let outcome =
                if waited_too_long { Err(Error::ServerBusy { retry_after: RETRY_AFTER }) } else { Ok(job(scratch)) };
            // The caller may be gone while the job runs; its result is then dropped.
            reply.send(outcome).ok();
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
        tracing::warn!(%error, "cannot lower the priority of a hashing thread");
    }
    let mut scratch = Scratch::new();
    loop {
        let job = match jobs.recv_timeout(SCRATCH_IDLE_TIMEOUT) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                scratch = Scratch::new();
                // No memory left to release: block until a job comes.
                match jobs.recv() {
                    Ok(job) => job,
                    Err(_) => return,
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let (started, cpu_time) = (Instant::now(), thread_cpu_time());
        if catch_unwind(AssertUnwindSafe(|| job(&mut scratch))).is_err() {
            tracing::error!("a hashing job panicked");
        }
        thread::sleep(back_off(started.elapsed(), thread_cpu_time().saturating_sub(cpu_time)));
    }
}

/// The pause after a job that `took` this long and used `cpu_time`. Priority alone is not enough: under a
/// flood of queries such threads got ten times their share. The time that a job was preempted shows the demand of
/// others. What other logins and other guests of the machine take of it is less than the CPU time itself.
fn back_off(took: Duration, cpu_time: Duration) -> Duration {
    (took.saturating_sub(cpu_time * 2) * BACK_OFF_FACTOR).min(MAX_BACK_OFF)
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
        let (started, has_started) = oneshot::channel();
        let occupied = Arc::clone(&pool);
        tokio::spawn(async move {
            let job = move |_: &mut Scratch| {
                started.send(()).ok();
                held.recv().ok();
            };
            occupied.run(job).await.ok();
        });
        has_started.await.unwrap();
        (pool, release)
    }

    /// L2
    #[tokio::test]
    async fn job_of_a_cancelled_caller_is_skipped() {
        let (pool, release) = busy().await;
        let runs = Arc::new(AtomicUsize::new(0));
        let count = || {
            let runs = Arc::clone(&runs);
            move |_: &mut Scratch| runs.fetch_add(1, Ordering::Relaxed)
        };
        {
            let mut cancelled = Box::pin(pool.run(count()));
            // Polled once, it is queued; then its caller is gone.
            assert!(tokio::time::timeout(Duration::ZERO, &mut cancelled).await.is_err());
        }
        drop(release);
        pool.run(count()).await.unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }

    /// L3
    #[test]
    fn pause_grows_with_the_time_preempted() {
        let milliseconds = Duration::from_millis;
        assert_eq!(back_off(milliseconds(20), milliseconds(20)), Duration::ZERO);
        assert_eq!(back_off(milliseconds(40), milliseconds(20)), Duration::ZERO, "logins alone");
        assert_eq!(back_off(milliseconds(50), milliseconds(20)), milliseconds(80));
        assert_eq!(back_off(milliseconds(2_000), milliseconds(20)), MAX_BACK_OFF);
    }

    /// L3: the thread starts no job before its pause has ended.
    #[tokio::test]
    async fn next_job_starts_after_the_pause() {
        let pool = HashPool::start(NonZeroUsize::new(1)).unwrap();
        // It waits longer than it computes, as if it were preempted.
        let (_sender, receiver) = mpsc::channel::<()>();
        let waits = move |_: &mut Scratch| {
            receiver.recv_timeout(MAX_BACK_OFF).ok();
            Instant::now()
        };
        let ended = pool.run(waits).await.unwrap();
        let started = pool.run(|_| Instant::now()).await.unwrap();
        assert!(started - ended >= MAX_BACK_OFF);
    }

    /// L1: a job that does not fit into the queue is rejected at once, while the thread is still busy.
    #[tokio::test]
    async fn job_is_rejected_when_the_queue_is_full() {
        let (pool, release) = busy().await;
        pool.check_capacity().unwrap();
        let mut waiting: Vec<_> = (0..QUEUE_PER_THREAD).map(|_| Box::pin(pool.run(|_| ()))).collect();
        for job in &mut waiting {
            assert!(tokio::time::timeout(Duration::ZERO, job).await.is_err());
        }
        assert!(matches!(pool.check_capacity(), Err(Error::ServerBusy { .. })));
        let rejected = tokio::time::timeout(MAX_QUEUE_TIME * 5, pool.run(|_| ())).await.unwrap();
        assert!(matches!(rejected, Err(Error::ServerBusy { retry_after: RETRY_AFTER })), "{rejected:?}");
        drop(release);
        for job in waiting {
            job.await.unwrap();
        }
    }
}
