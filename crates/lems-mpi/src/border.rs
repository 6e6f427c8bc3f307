//! The border between Rust and a library of MPI: the only file of this crate with `unsafe`.
//!
//! Libraries differ in the representation of handles, such as that of the communicator of all processes. In Open
//! MPI a handle is the address of a variable of the library, in MPICH a number of 32 bits, in the standard ABI of
//! MPI 5 a small number in a pointer. [`World`] has the type of the handles as its parameter.
//!
//! # Safety
//!
//! Each `unsafe` block cites the facts that it rests on by their numbers.
//!
//! 1. **The library may be opened.** Its name is one under which only MPI is installed, or the user has named it. That
//!    it initialises itself without harm is up to whoever has installed it.
//! 2. **Functions have the types that are declared here.** They are those of the MPI standard in C, with handles
//!    of the type that the library has. [`representation`] finds out which one that is.
//! 3. **Functions stay.** The library is never closed.
//! 4. **MPI runs.** [`World`] is made after `MPI_Init_thread` has succeeded. Its `drop` is the only caller of
//!    `MPI_Finalize`, so nothing is called afterwards. [`start`] starts MPI once in a process.
//! 5. **One thread at a time calls.** MPI has granted this when it was started. What exchanges has a `&mut World`,
//!    so no two threads do.
//! 6. **Buffers are large enough.** Counts are lengths of the arrays that are passed with them, or the array is made
//!    as long as the counts say.
//! 7. **Buffers live until MPI has done.** The function that begins an exchange keeps all that it has passed until the
//!    exchange is complete. If it fails, the buffers are leaked.
//! 8. **Handles may go to other threads.** They are numbers, or addresses that only the library looks at.

#![allow(unsafe_code)]

use std::error::Error;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lems_ranks::Gone;
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

use crate::error::{MpiError, Tried};
use crate::framing::Wire;

/// What functions of MPI return if nothing went wrong.
const SUCCESS: c_int = 0;

/// How often a process looks whether an exchange is complete before it lets others have the processor.
const LOOKS_AT_ONCE: u32 = 100;

/// How often it looks before it sleeps in between.
const LOOKS_BEFORE_SLEEP: u32 = 1_000;

/// How long it sleeps between two looks.
const SLEEP: Duration = Duration::from_micros(50);

type InitThread =
    unsafe extern "C" fn(*mut c_int, *mut *mut *mut c_char, c_int, *mut c_int) -> c_int;
type AbiVersion = unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int;
type Finalize = unsafe extern "C" fn() -> c_int;
/// Of `MPI_Comm_rank` and `MPI_Comm_size`.
type Number<H> = unsafe extern "C" fn(H, *mut c_int) -> c_int;
type Abort<H> = unsafe extern "C" fn(H, c_int) -> c_int;
/// Request, whether it is complete, status.
type Test<H> = unsafe extern "C" fn(*mut H, *mut c_int, *mut c_void) -> c_int;
/// Own words, how many, their type, words of all, how many of each, their type, communicator, request.
type Equal<H> =
    unsafe extern "C" fn(*const c_void, c_int, H, *mut c_void, c_int, H, H, *mut H) -> c_int;
/// The same, with numbers and places of the words of each.
type Unequal<H> = unsafe extern "C" fn(
    *const c_void,
    c_int,
    H,
    *mut c_void,
    *const c_int,
    *const c_int,
    H,
    H,
    *mut H,
) -> c_int;

/// How a library represents what a program passes to it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Representation {
    /// Open MPI: addresses of the communicator of all processes and of the type of words.
    Addresses(*mut c_void, *mut c_void),
    /// MPICH and its relatives.
    Numbers,
    /// The standard ABI of MPI 5.
    Standard,
}

/// The values of a library for what a program passes to it.
struct Values<H> {
    /// The communicator of all processes.
    world: H,
    /// The type of unsigned numbers of 64 bits.
    word: H,
    /// What says that nobody wants the status.
    no_status: *mut c_void,
    /// The level at which one thread at a time may call.
    serialized: c_int,
}

/// The functions of a library.
struct Functions<H> {
    init: InitThread,
    rank: Number<H>,
    size: Number<H>,
    equal: Equal<H>,
    unequal: Unequal<H>,
    test: Test<H>,
    abort: Abort<H>,
    finalize: Finalize,
}

/// MPI, while it runs, and all processes of the launcher.
struct World<H: Copy + 'static> {
    values: Values<H>,
    functions: Functions<H>,
    rank: usize,
    size: usize,
    /// Whether another process has gone.
    is_broken: bool,
}

// SAFETY: 8.
unsafe impl<H: Copy + 'static> Send for World<H> {}

/// Opens a library of these, and starts MPI. Gives its name, too.
pub(crate) fn start(libraries: &[PathBuf]) -> Result<(Box<dyn Wire>, String), MpiError> {
    static IS_STARTED: AtomicBool = AtomicBool::new(false);
    let (library, name) = open(libraries)?;
    let representation = representation(library, &name)?;
    if IS_STARTED.swap(true, Ordering::SeqCst) {
        return Err(MpiError::StartedBefore);
    }
    let wire: Box<dyn Wire> = match representation {
        Representation::Addresses(world, word) => Box::new(World::<*mut c_void>::start(
            library,
            &name,
            Values {
                world,
                word,
                no_status: std::ptr::null_mut(),
                serialized: 2,
            },
        )?),
        Representation::Numbers => Box::new(World::<c_int>::start(
            library,
            &name,
            Values {
                world: 0x4400_0000,
                word: 0x4c00_083e,
                no_status: std::ptr::without_provenance_mut(1),
                serialized: 2,
            },
        )?),
        Representation::Standard => Box::new(World::<*mut c_void>::start(
            library,
            &name,
            Values {
                world: std::ptr::without_provenance_mut(0x101),
                word: std::ptr::without_provenance_mut(0x259),
                no_status: std::ptr::null_mut(),
                serialized: 2048,
            },
        )?),
    };
    Ok((wire, name))
}

/// The first library that can be opened, and its name. It is never closed.
fn open(libraries: &[PathBuf]) -> Result<(&'static Library, String), MpiError> {
    let mut tried = Vec::new();
    for path in libraries {
        let library = path.display().to_string();
        // Open MPI opens parts of itself that look for its symbols among those of the whole program.
        // SAFETY: 1.
        match unsafe { Library::open(Some(path.as_os_str() as &OsStr), RTLD_NOW | RTLD_GLOBAL) } {
            Ok(opened) => return Ok((Box::leak(Box::new(opened)), library)),
            Err(error) => tried.push(Tried {
                library,
                reason: reason(&error),
            }),
        }
    }
    Err(MpiError::NoLibrary(tried))
}

/// What the system says; the error itself only names the call that fails.
fn reason(error: &dyn Error) -> String {
    (error.source()).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Which kind of handles a library has.
fn representation(library: &Library, name: &str) -> Result<Representation, MpiError> {
    // Only a library with the standard ABI has a version of it. MPI may be asked before it is started.
    if let Ok(version) = function::<AbiVersion>(library, name, c"MPI_Abi_get_version") {
        let (mut major, mut minor) = (-1, -1);
        // SAFETY: 2, 3.
        let status = unsafe { version(&raw mut major, &raw mut minor) };
        if status == SUCCESS && major >= 1 {
            return Ok(Representation::Standard);
        }
    }
    let address = |name: &CStr| {
        // The address is taken, and nothing is read from it.
        // SAFETY: 2.
        let symbol = unsafe { library.get::<*mut c_void>(name.to_bytes_with_nul()) };
        symbol.ok().map(|symbol| symbol.as_raw_ptr())
    };
    let (world, word) = (
        address(c"ompi_mpi_comm_world"),
        address(c"ompi_mpi_uint64_t"),
    );
    Ok(match (world, word) {
        (Some(world), Some(word)) => Representation::Addresses(world, word),
        _ => Representation::Numbers,
    })
}

/// A function of a library.
fn function<F: Copy>(
    library: &Library,
    name: &str,
    function: &'static CStr,
) -> Result<F, MpiError> {
    // SAFETY: 2, 3: the pointer outlives its symbol.
    match unsafe { library.get::<F>(function.to_bytes_with_nul()) } {
        Ok(found) => Ok(*found),
        Err(_) => Err(MpiError::NoMpi {
            library: name.to_owned(),
            function: function.to_str().unwrap_or_default(),
        }),
    }
}

impl<H: Copy + 'static> Functions<H> {
    fn of(library: &Library, name: &str) -> Result<Self, MpiError> {
        Ok(Functions {
            init: function(library, name, c"MPI_Init_thread")?,
            rank: function(library, name, c"MPI_Comm_rank")?,
            size: function(library, name, c"MPI_Comm_size")?,
            equal: function(library, name, c"MPI_Iallgather")?,
            unequal: function(library, name, c"MPI_Iallgatherv")?,
            test: function(library, name, c"MPI_Test")?,
            abort: function(library, name, c"MPI_Abort")?,
            finalize: function(library, name, c"MPI_Finalize")?,
        })
    }
}

impl<H: Copy + 'static> World<H> {
    /// Starts MPI. `library` stays open.
    fn start(library: &'static Library, name: &str, values: Values<H>) -> Result<Self, MpiError> {
        let functions = Functions::<H>::of(library, name)?;
        let mut level = 0;
        // MPI may go without the arguments of the program.
        // SAFETY: 2, 3; MPI is started once (4).
        let status = unsafe {
            (functions.init)(
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                values.serialized,
                &raw mut level,
            )
        };
        let failed = |function| MpiError::NotStarted {
            library: name.to_owned(),
            function,
        };
        if status != SUCCESS {
            return Err(failed("MPI_Init_thread"));
        }
        let (mut rank, mut size) = (0, 0);
        // SAFETY: 2, 3, 4; this thread has started MPI.
        let status = unsafe { (functions.rank)(values.world, &raw mut rank) };
        let rank = usize::try_from(rank).ok().filter(|_| status == SUCCESS);
        // SAFETY: the same.
        let status = unsafe { (functions.size)(values.world, &raw mut size) };
        let size = usize::try_from(size).ok().filter(|_| status == SUCCESS);
        let is_serialized = level >= values.serialized;
        let world = World {
            values,
            functions,
            rank: rank.ok_or_else(|| failed("MPI_Comm_rank"))?,
            size: size.ok_or_else(|| failed("MPI_Comm_size"))?,
            is_broken: false,
        };
        match is_serialized {
            true => Ok(world),
            false => Err(MpiError::OneThreadOnly {
                library: name.to_owned(),
            }),
        }
    }

    /// Waits until a request is complete. While it is not, other threads and processes may have the processor: they
    /// may be those that this one waits for.
    ///
    /// # Errors
    /// It may never be.
    fn wait(&mut self, mut request: H) -> Result<(), Gone> {
        let (mut is_complete, mut looks) = (0, 0_u32);
        loop {
            // SAFETY: 2, 3, 4, 5; the request is one that MPI has made, and not complete yet.
            let status = unsafe {
                (self.functions.test)(
                    &raw mut request,
                    &raw mut is_complete,
                    self.values.no_status,
                )
            };
            if status != SUCCESS {
                return Err(Gone);
            }
            if is_complete != 0 {
                return Ok(());
            }
            looks = looks.saturating_add(1);
            match looks {
                0..LOOKS_AT_ONCE => std::hint::spin_loop(),
                LOOKS_AT_ONCE..LOOKS_BEFORE_SLEEP => std::thread::yield_now(),
                LOOKS_BEFORE_SLEEP.. => std::thread::sleep(SLEEP),
            }
        }
    }

    /// Ends an exchange that was begun with this status and these buffers; gives the last one.
    fn complete<B>(
        &mut self,
        status: c_int,
        request: H,
        (own, all): (B, Vec<u64>),
    ) -> Result<Vec<u64>, Gone> {
        if status == SUCCESS && self.wait(request).is_ok() {
            return Ok(all);
        }
        // MPI may still use them (7).
        std::mem::forget((own, all));
        self.is_broken = true;
        Err(Gone)
    }
}

impl<H: Copy + 'static> Wire for World<H> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn equal(&mut self, own: Vec<u64>) -> Result<Vec<u64>, Gone> {
        let count = c_int::try_from(own.len()).map_err(|_| Gone)?;
        let mut all = vec![0_u64; own.len() * self.size];
        let mut request = self.values.world;
        // SAFETY: 2, 3, 4, 5; `own` has `count` words, and `all` so many for each process (6); both are
        // kept by `complete` (7).
        let status = unsafe {
            (self.functions.equal)(
                own.as_ptr().cast(),
                count,
                self.values.word,
                all.as_mut_ptr().cast(),
                count,
                self.values.word,
                self.values.world,
                &raw mut request,
            )
        };
        self.complete(status, request, (own, all))
    }

    fn unequal(&mut self, own: Vec<u64>, counts: &[usize]) -> Result<Vec<u64>, Gone> {
        let number = |count: usize| c_int::try_from(count).map_err(|_| Gone);
        let mut total = 0;
        let (mut lengths, mut places) = (Vec::new(), Vec::new());
        for count in counts {
            lengths.push(number(*count)?);
            places.push(number(total)?);
            total += count;
        }
        assert!(
            counts.len() == self.size && counts.get(self.rank) == Some(&own.len()),
            "each process has its number of words: this is a bug in jlems-rs"
        );
        let mut all = vec![0_u64; total];
        let mut request = self.values.world;
        // SAFETY: 2, 3, 4, 5; `own` has so many words, and `all` has room for those of all at their places, by
        // the loop and the assertion (6); all four are kept by `complete` (7).
        let status = unsafe {
            (self.functions.unequal)(
                own.as_ptr().cast(),
                number(own.len())?,
                self.values.word,
                all.as_mut_ptr().cast(),
                lengths.as_ptr(),
                places.as_ptr(),
                self.values.word,
                self.values.world,
                &raw mut request,
            )
        };
        self.complete(status, request, ((own, lengths, places), all))
    }
}

impl<H: Copy + 'static> Drop for World<H> {
    fn drop(&mut self) {
        // A launcher may end the others as soon as one process ends, so that none ends before all have said
        // what they have to say.
        let is_together =
            !self.is_broken && !std::thread::panicking() && self.equal(vec![0]).is_ok();
        // SAFETY: 2, 3, 4, 5: `drop` has the only reference.
        unsafe {
            match is_together {
                true => (self.functions.finalize)(),
                false => (self.functions.abort)(self.values.world, 1),
            }
        };
    }
}
