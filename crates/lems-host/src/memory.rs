//! How much memory this process may use, and how much it uses. On Linux both are known, on macOS, Windows and
//! FreeBSD only the memory in use, on other systems neither.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// One part in this number of the memory is left to other processes.
const LEFT: usize = 16;

/// Bytes of memory that this process may use: what the machine, the control groups that it is in, the
/// limit of its address space (`ulimit -v`) and the job of Slurm that it belongs to leave it.
pub fn most() -> Option<usize> {
    let machine = || kilobytes(&of_kernel("/proc/meminfo")?, "MemTotal:");
    let slurm = |name: &str| std::env::var(name).ok();
    let bounds = [machine(), address_space(), of_slurm(&slurm)];
    let groups = of_kernel("/proc/self/cgroup").unwrap_or_default();
    let groups = files_of_groups(&groups).into_iter();
    let groups = groups.filter_map(|path| of_kernel(&path)?.trim().parse().ok());
    let least: usize = bounds.into_iter().flatten().chain(groups).min()?;
    Some(least - least / LEFT)
}

/// Bytes of memory that this process has in use.
#[cfg(not(target_os = "linux"))]
pub fn used() -> Option<usize> {
    memory_stats::memory_stats().map(|stats| stats.physical_mem)
}

/// Whether this process uses more than `limit` bytes.
#[cfg(not(target_os = "linux"))]
pub fn is_full(limit: usize) -> bool {
    used().is_some_and(|used| used > limit)
}

/// Bytes of memory that this process has written to.
#[cfg(target_os = "linux")]
pub fn used() -> Option<usize> {
    Pages::of_process()?.written()
}

/// Whether this process uses more than `limit` bytes, or nearly all of its address space.
#[cfg(target_os = "linux")]
pub fn is_full(limit: usize) -> bool {
    let Some(pages) = Pages::of_process() else {
        return false;
    };
    let address_space_is_full = || {
        let most = address_space()?;
        Some(pages.bytes(pages.mapped) > most - most / LEFT)
    };
    pages.written().is_some_and(|used| used > limit) || address_space_is_full().unwrap_or(false)
}

/// The memory of a process, in pages.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pages {
    mapped: usize,
    resident: usize,
    /// Those of the resident ones that belong to files or are shared with other processes.
    shared: usize,
}

#[cfg(target_os = "linux")]
impl Pages {
    fn of_process() -> Option<Pages> {
        Pages::read(&of_kernel("/proc/self/statm")?)
    }

    /// The first three numbers of a text such as that of `/proc/self/statm`.
    fn read(text: &str) -> Option<Pages> {
        let mut numbers = text
            .split_ascii_whitespace()
            .map_while(|number| number.parse().ok());
        Some(Pages {
            mapped: numbers.next()?,
            resident: numbers.next()?,
            shared: numbers.next()?,
        })
    }

    fn written(self) -> Option<usize> {
        Some(self.bytes(self.resident.checked_sub(self.shared)?))
    }

    fn bytes(self, pages: usize) -> usize {
        pages.saturating_mul(rustix::param::page_size())
    }
}

/// A text that the kernel makes when it is read. It has no length before, so that the usual functions read it in many
/// small pieces.
fn of_kernel(path: &str) -> Option<String> {
    let read = || -> io::Result<String> {
        let mut text = String::with_capacity(1 << 12);
        File::open(path)?.take(1 << 20).read_to_string(&mut text)?;
        Ok(text)
    };
    read().ok()
}

/// Bytes in a line such as `MemTotal:  16 kB`.
fn kilobytes(text: &str, name: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}

/// The soft limit of the address space, in bytes (`ulimit -v`).
#[cfg(target_os = "linux")]
fn address_space() -> Option<usize> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::As);
    usize::try_from(limit.current?).ok()
}

/// Only on Linux is the memory in use compared with it.
#[cfg(not(target_os = "linux"))]
fn address_space() -> Option<usize> {
    None
}

/// The files with the limits of the control groups that a text such as that of `/proc/self/cgroup`
/// names, and of all around them: of version 2, and of version 1.
fn files_of_groups(text: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        for group in Path::new(group).ancestors() {
            let group = group.to_string_lossy();
            files.push(format!("{root}{}/{file}", group.trim_end_matches('/')));
        }
    }
    files
}

/// Bytes that Slurm gives a job on a node, by the value of a variable.
fn of_slurm(variable: &dyn Fn(&str) -> Option<String>) -> Option<usize> {
    let number = |name: &str| variable(name)?.trim().parse::<usize>().ok();
    let of_processors = || {
        let each = number("SLURM_MEM_PER_CPU")?;
        Some(each.saturating_mul(number("SLURM_CPUS_ON_NODE").unwrap_or(1)))
    };
    let megabytes = number("SLURM_MEM_PER_NODE").or_else(of_processors)?;
    // Zero stands for all of the node.
    (megabytes > 0).then(|| megabytes.saturating_mul(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_those_around_them_have_limits() {
        let both = "5:cpu,memory:/job/step\n3:pids:/other\n0::/user.slice/a.scope\n";
        assert_eq!(
            files_of_groups(both),
            [
                "/sys/fs/cgroup/memory/job/step/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/job/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/user.slice/a.scope/memory.max",
                "/sys/fs/cgroup/user.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pages_that_belong_to_files_are_not_written() {
        let pages = Pages::read("2000 300 100 50 0 400 0\n").unwrap();
        assert_eq!(pages.written(), Some(200 * rustix::param::page_size()));
        assert_eq!(Pages::read("2000 300"), None);
    }

    #[test]
    fn slurm_gives_memory_to_a_node_or_to_processors() {
        let of = |values: &[(&str, &str)]| {
            of_slurm(&|name| {
                let mut values = values.iter();
                let (_, value) = values.find(|(other, _)| *other == name)?;
                Some((*value).to_owned())
            })
        };
        assert_eq!(of(&[("SLURM_MEM_PER_NODE", "512")]), Some(512 << 20));
        let processors = [("SLURM_MEM_PER_CPU", "100"), ("SLURM_CPUS_ON_NODE", "4")];
        assert_eq!(of(&processors), Some(400 << 20));
        assert_eq!(of(&[("SLURM_MEM_PER_NODE", "0")]), None);
        assert_eq!(of(&[]), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_knows_what_it_uses() {
        let before = used().unwrap_or(0);
        let block = vec![1_u8; 64 << 20];
        let more = used().unwrap_or(0) - before;
        assert!(more > 60 << 20, "{more} bytes for {}", block.len());
        assert!(is_full(1) && !is_full(usize::MAX));
    }
}
