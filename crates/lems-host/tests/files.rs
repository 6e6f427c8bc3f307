//! Outputs in a real file system.

#![allow(clippy::unwrap_used)]

use lems_host::FileStore;
use lems_output::{DataFile, EventFile, EventFormat, OutputError, OutputStore};
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// A folder of its own for every test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn names(folder: &PathBuf) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_finished_file_replaces_the_old_one() {
    let folder = folder("replaces");
    fs::write(folder.join("v.dat"), "old").unwrap();
    let mut store = FileStore::in_folder(&folder);
    let mut file = DataFile::create(&mut store, "v.dat").unwrap();
    file.row([0.0, -0.065]).unwrap();
    assert_eq!(fs::read_to_string(folder.join("v.dat")).unwrap(), "old");
    assert_eq!(names(&folder), ["v.dat", "v.dat.partial"]);
    file.finish().unwrap();
    assert_eq!(
        fs::read_to_string(folder.join("v.dat")).unwrap(),
        "0.0\t-0.065\t\n"
    );
    assert_eq!(names(&folder), ["v.dat"]);
}

#[test]
fn an_unfinished_file_ends_on_a_full_line_and_leaves_the_old_one() {
    let folder = folder("unfinished");
    fs::write(folder.join("v.dat"), "old").unwrap();
    let mut store = FileStore::in_folder(&folder);
    let mut file = DataFile::create(&mut store, "v.dat").unwrap();
    let rows = 10_000;
    for row in 0..rows {
        file.row([f64::from(row), 1.0 / f64::from(row + 1)])
            .unwrap();
    }
    drop(file);
    assert_eq!(fs::read_to_string(folder.join("v.dat")).unwrap(), "old");
    let partial = fs::read_to_string(folder.join("v.dat.partial")).unwrap();
    assert!(partial.ends_with("9999.0\t1.0E-4\t\n"));
    assert_eq!(partial.lines().count(), 10_000);
}

/// Scripts ask whether a file was written after the run was started, which may have been a millisecond ago.
#[test]
fn a_finished_file_is_not_stamped_before_its_run() {
    let folder = folder("stamped");
    for _ in 0..20 {
        let start = SystemTime::now();
        let mut store = FileStore::in_folder(&folder);
        let file = DataFile::create(&mut store, "v.dat").unwrap();
        file.finish().unwrap();
        let stamp = fs::metadata(folder.join("v.dat"))
            .unwrap()
            .modified()
            .unwrap();
        assert!(stamp >= start);
    }
}

#[test]
fn of_two_files_with_one_name_the_last_finished_stays() {
    let folder = folder("same_name");
    let mut store = FileStore::in_folder(&folder);
    let mut first = DataFile::create(&mut store, "v.dat").unwrap();
    let mut second = DataFile::create(&mut store, "v.dat").unwrap();
    first.row([1.0]).unwrap();
    second.row([2.0]).unwrap();
    first.row([1.0]).unwrap();
    first.finish().unwrap();
    second.finish().unwrap();
    assert_eq!(fs::read_to_string(folder.join("v.dat")).unwrap(), "2.0\t\n");
    assert_eq!(names(&folder), ["v.dat"]);
}

#[test]
fn a_missing_folder_is_made_and_told() {
    let folder = folder("missing");
    let mut store = FileStore::in_folder(&folder);
    let outputs = ["results/v/a.dat", "results/v/b.dat", "c.dat"];
    store.reserve(&outputs, &[]).unwrap();
    assert_eq!(store.made_folders(), [folder.join("results/v")]);
    DataFile::create(&mut store, "other/v.dat")
        .unwrap()
        .finish()
        .unwrap();
    assert_eq!(store.made_folders().len(), 2);
    assert_eq!(names(&folder), ["other", "results"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = folder("in_the_way");
    fs::write(folder.join("results"), "a file").unwrap();
    let mut store = FileStore::in_folder(&folder);
    let Err(error) = EventFile::create(&mut store, "results/a.spikes", EventFormat::IdTime, &[])
    else {
        panic!("created in a file");
    };
    assert_eq!(error.path(), Some("results/a.spikes"));
    assert!(
        matches!(&error, OutputError::MissingFolder { folder, .. } if folder.ends_with("results"))
    );
    assert_eq!(names(&folder), ["results"]);
}

#[cfg(unix)]
#[test]
fn a_confined_store_makes_folders_inside_its_own_only() {
    let folder = folder("confined_folders");
    fs::create_dir_all(folder.join("own/there")).unwrap();
    fs::create_dir(folder.join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", folder.join("own/link")).unwrap();
    let mut store = FileStore::in_folder(folder.join("own")).confined();
    let absolute = folder.join("beside/v.dat");
    for name in [
        "../beside/v.dat",
        "new/../../beside/v.dat",
        "link/new/v.dat",
        absolute.to_str().unwrap(),
    ] {
        let reserved = store.reserve(&[name], &[]);
        assert!(
            matches!(reserved, Err(OutputError::Outside { .. })),
            "{name}: {reserved:?}"
        );
    }
    store.reserve(&["there/new/v.dat"], &[]).unwrap();
    assert_eq!(names(&folder), ["elsewhere", "own"]);
    assert_eq!(names(&folder.join("elsewhere")), [""; 0]);
    assert_eq!(names(&folder.join("own")), ["link", "there"]);
}

#[test]
fn a_folder_is_not_overwritten() {
    let folder = folder("is_folder");
    fs::create_dir(folder.join("v.dat")).unwrap();
    let created = DataFile::create(&mut FileStore::in_folder(&folder), "v.dat");
    assert!(matches!(created, Err(OutputError::IsFolder { .. })));
    assert_eq!(names(&folder), ["v.dat"]);
}

#[test]
fn a_file_is_continued_at_its_mark() {
    let folder = folder("continued");
    let mut file = DataFile::create(&mut FileStore::in_folder(&folder), "v.dat").unwrap();
    file.row([1.0]).unwrap();
    let mark = file.mark().unwrap();
    assert_eq!((mark.bytes, mark.rows), (5, 1));
    file.row([2.0]).unwrap();
    drop(file);
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("v.dat.partial"), "1.0\t\n2.0\t\n");
    for _ in 0..2 {
        let sink = FileStore::in_folder(&folder).reopen("v.dat", &mark);
        let mut sink = sink.unwrap();
        assert_eq!(read("v.dat.partial"), "1.0\t\n");
        assert_eq!(sink.mark().unwrap(), mark);
        // The second time it is taken back from its final name.
        sink.finish().unwrap();
        assert_eq!(names(&folder), ["v.dat"]);
    }
    let mut sink = (FileStore::in_folder(&folder).reopen("v.dat", &mark)).unwrap();
    sink.write(b"3.0\t\n").unwrap();
    assert_eq!(sink.mark().unwrap().rows, 2);
    sink.finish().unwrap();
    assert_eq!(read("v.dat"), "1.0\t\n3.0\t\n");
}

#[test]
fn what_is_not_as_it_was_is_not_continued() {
    let folder = folder("not_continued");
    let mut file = DataFile::create(&mut FileStore::in_folder(&folder), "v.dat").unwrap();
    file.row([1.0]).unwrap();
    let mark = file.mark().unwrap();
    file.finish().unwrap();
    for (name, content, problem) in [
        ("v.dat.partial", "1.0", "has 3 bytes, and had 5"),
        ("v.dat.partial", "1.1\t\n2.0\t\n", "has other content"),
        ("v.dat", "1.1\t\n", "has other content"),
        ("v.dat", "1.0\t\n2.0\t\n", "cannot be opened"),
    ] {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), content).unwrap();
        let Err(error) = FileStore::in_folder(&folder).reopen("v.dat", &mark) else {
            panic!("{name} with {content} is continued");
        };
        assert!(matches!(error, OutputError::NotContinued { .. }));
        assert!(error.to_string().contains(problem), "{error}");
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), content);
    }
}

#[test]
fn a_partial_name_is_free_when_its_file_is_finished() {
    let folder = folder("free_name");
    let mut store = FileStore::in_folder(&folder);
    for _ in 0..2 {
        let file = DataFile::create(&mut store, "v.dat").unwrap();
        assert!(folder.join("v.dat.partial").exists());
        file.finish().unwrap();
        assert_eq!(names(&folder), ["v.dat"]);
    }
}
