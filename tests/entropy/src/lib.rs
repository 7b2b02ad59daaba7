//! Repeatable randomness for a test binary.
//!
//! The standard library's hash maps, `uuid`, `rand`, tokio's `select!` and whoever else asks the operating system for
//! randomness call `getrandom` or `getentropy` of libc. A binary that links this crate gets these two from here: on a
//! thread that was given a seed they come from it, on every other one from the operating system as ever. Two libraries
//! that ask nobody are seeded by hand: `fastrand` (kube's backoff), which takes the time for a seed, and `ahash` (kube's
//! stores), which adds an address that the loader draws anew for each process.
//!
//! What is not repeatable: aws-lc, which makes the system call itself and mixes in more. Its randomness is in no test's way as
//! long as nothing prints a PSS signature, a TLS record or a key. And time: what reads the system's clock directly.
//!
//! Linux only: elsewhere the standard library asks other functions.

#![cfg(target_os = "linux")]

use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::Once;
use std::thread;

use libc::{c_int, c_uint, c_void, size_t, ssize_t};

/// How much stack a seeded thread has, in bytes: as much as a process's first thread.
const STACK: usize = 8 * 1024 * 1024;

thread_local! {
    /// The state of this thread's stream; none where it was given no seed. It has no destructor, so that it can be asked until
    /// the thread's very end.
    static STREAM: Cell<Option<u64>> = const { Cell::new(None) };
    /// How many hashers `ahash` made on this thread.
    static HASHERS: Cell<usize> = const { Cell::new(0) };
}

/// Runs this on a thread of its own, on which all randomness comes from the seed, and gives back its result or its panic.
///
/// A new thread, because the standard library draws the keys of its hash maps once for each thread, the first time it
/// needs them. What a program keeps for all its threads (a `OnceLock`) is drawn by the first run that needs it: runs that
/// must be equal across processes begin each in a process of its own, or with [`seed`] before anything else.
pub fn repeatable<T: Send>(seed: u64, run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let seeded = move || {
            self::seed(seed);
            run()
        };
        let thread = thread::Builder::new().stack_size(STACK).name(format!("seed {seed}"));
        let thread = thread.spawn_scoped(scope, seeded).expect("start a thread");
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// From here on all randomness of this thread comes from the seed. What the thread drew before stays, the keys of its
/// hash maps above all: [`repeatable`] has no before.
pub fn seed(seed: u64) {
    static ALL_THREADS: Once = Once::new();
    ALL_THREADS.call_once(|| {
        // Its fixed seeds are drawn once for all threads: by nobody's seed, so that no run depends on which was first.
        STREAM.set(Some(0));
        // Refused where a hasher was made before; then the process is not repeatable, and says so.
        ahash::random_state::set_random_source(Counter).expect("seed before the first hash map");
        let _ = ahash::RandomState::new();
    });
    STREAM.set(Some(seed));
    HASHERS.set(0);
    fastrand::seed(seed);
}

/// Tells `ahash`'s hashers apart by how many there were on this thread, instead of by their addresses.
struct Counter;

impl ahash::random_state::RandomSource for Counter {
    fn gen_hasher_seed(&self) -> usize {
        HASHERS.set(HASHERS.get() + 1);
        HASHERS.get()
    }
}

/// The next eight bytes of a stream: SplitMix64, whose whole state is one number.
fn next(state: &mut u64) -> [u8; 8] {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).to_le_bytes()
}

/// Fills this from the thread's stream. Whether it has one.
fn fill(buffer: &mut [u8]) -> bool {
    let Some(mut state) = STREAM.get() else { return false };
    for part in buffer.chunks_mut(8) {
        part.copy_from_slice(&next(&mut state)[..part.len()]);
    }
    STREAM.set(Some(state));
    true
}

/// The bytes that a caller of libc gave.
///
/// # Safety
///
/// `buffer` is valid for writes of `length` bytes, or `length` is 0.
unsafe fn given<'a>(buffer: *mut c_void, length: size_t) -> &'a mut [u8] {
    if length == 0 {
        return &mut [];
    }
    // SAFETY: the caller's promise. The bytes may be uninitialised; they are written and never read.
    unsafe { std::slice::from_raw_parts_mut(buffer.cast(), length) }
}

/// `getrandom(2)`, in libc's place.
///
/// # Safety
///
/// As for libc's: `buffer` is valid for writes of `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    // SAFETY: the caller's promise.
    if fill(unsafe { given(buffer, length) }) {
        return ssize_t::try_from(length).unwrap_or(ssize_t::MAX);
    }
    // SAFETY: the same arguments, to the system call that libc would make. It returns no more than `length`.
    let got = unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) };
    ssize_t::try_from(got).unwrap_or(-1)
}

/// `getentropy(3)`, in libc's place.
///
/// # Safety
///
/// As for libc's: `buffer` is valid for writes of `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getentropy(buffer: *mut c_void, length: size_t) -> c_int {
    // SAFETY: the caller's promise.
    let got = unsafe { getrandom(buffer, length, 0) };
    // Up to 256 bytes, which is all that getentropy gives, come whole or not at all.
    if usize::try_from(got).is_ok_and(|got| got == length) { 0 } else { -1 }
}
