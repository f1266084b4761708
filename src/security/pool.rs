//! The hashing pool: a few threads of their own, so that hashing never slows the threads that answer.
//!
//! Argon2 on the runtime's threads, or on its blocking pool, starves every other request. Here a job waits in a
//! bounded queue until one of a fixed number of threads takes it, and these yield to the threads that answer. When the
//! queue is full, or a job has waited too long in it, the caller is told to come again and nothing is hashed: one block
//! of memory per thread and a short queue are all that an attack can fill (OWASP ASVS 15.2.2).

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use argon2::Block;
use flume::{Receiver, RecvTimeoutError, Sender, TrySendError};
use rustix::process::setpriority_process;
use rustix::thread::gettid;
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// Jobs that may wait for each thread.
const WAITING_PER_THREAD: usize = 4;

/// How long a job may wait.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// When to come again, in seconds, for those who were turned away.
const RETRY_AFTER: u64 = 1;

/// How far hashing stands back: in the units of nice(2), where 19 is the farthest.
const NICENESS: i32 = 15;

/// How long a thread keeps its memory when there is nothing to do.
const KEEP_MEMORY: Duration = Duration::from_secs(5);

/// A thread's working memory; grows to what a job needs and is given back when idle.
pub type Memory = Vec<Block>;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// The door to the threads.
pub struct Pool {
    queue: Sender<Job>,
}

impl Pool {
    /// Starts `threads` threads, or one per processor.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(threads: Option<NonZeroUsize>) -> Result<Self> {
        let threads = threads.or(thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let (queue, jobs) = flume::bounded(threads * WAITING_PER_THREAD);
        for number in 0..threads {
            let jobs = jobs.clone();
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || work(&jobs))
                .map_err(|error| Error::Internal(error.into()))?;
        }
        Ok(Self { queue })
    }

    /// Runs `job` on one of the threads and waits for its result. If the caller goes away first, the job is skipped.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is too much to do; internal when the job panicked.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T> {
        let (answer, result) = oneshot::channel();
        let queued = Instant::now();
        let job: Job = Box::new(move |memory| {
            if answer.is_closed() {
                return;
            }
            let waited_too_long = queued.elapsed() > LONGEST_WAIT;
            let outcome = if waited_too_long { Err(Error::Busy { retry_after: RETRY_AFTER }) } else { Ok(job(memory)) };
            // The caller may vanish while the job runs; then nobody needs the result.
            answer.send(outcome).ok();
        });
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy { retry_after: RETRY_AFTER },
            TrySendError::Disconnected(_) => Error::internal("the hashing pool has stopped"),
        })?;
        result.await.map_err(|_| Error::internal("a hashing job did not finish"))?
    }
}

fn work(jobs: &Receiver<Job>) {
    // On Linux this is the priority of the thread alone.
    if let Err(error) = setpriority_process(Some(gettid()), NICENESS) {
        tracing::warn!(%error, "hashing runs at ordinary priority");
    }
    let mut memory = Memory::new();
    loop {
        let job = match jobs.recv_timeout(KEEP_MEMORY) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                memory = Memory::new();
                // Nothing to give back any more: sleep until there is work.
                match jobs.recv() {
                    Ok(job) => job,
                    Err(_) => return,
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
            tracing::error!("a hashing job panicked");
        }
    }
}
