//! What the writers put into a store.

#![allow(clippy::unwrap_used)]

use lems_output::{
    DataFile, EventFile, EventFormat, Mark, MemoryStore, OutputError, OutputSink, OutputStore,
    Report, TimesFile, expand_report_name, write_report,
};
use std::sync::{Arc, Mutex};

#[test]
fn every_value_of_a_row_is_followed_by_a_tab() {
    let store = MemoryStore::new();
    let mut file = DataFile::create(&mut store.clone(), "v.dat").unwrap();
    file.row([0.0, -0.065, 1e-4, f64::NAN]).unwrap();
    file.row([2.5e-5]).unwrap();
    file.row([0.0; 0]).unwrap();
    file.finish().unwrap();
    assert_eq!(
        store.text("v.dat").unwrap(),
        "0.0\t-0.065\t1.0E-4\tNaN\t\n2.5E-5\t\n\n"
    );
}

#[test]
fn event_lines_have_either_order_and_no_tab_at_the_end() {
    for (format, expected) in [
        (EventFormat::IdTime, "pop[1]\t0.001\n0\t0.001\n0\t1.0E-5\n"),
        (EventFormat::TimeId, "0.001\tpop[1]\n0.001\t0\n1.0E-5\t0\n"),
    ] {
        let store = MemoryStore::new();
        let ids = vec!["0".to_owned(), "pop[1]".to_owned()];
        let mut file = EventFile::create(&mut store.clone(), "a.spikes", format, &ids).unwrap();
        file.event(1, 0.001).unwrap();
        file.event(0, 0.001).unwrap();
        file.event(0, 1e-5).unwrap();
        let unknown = file.event(2, 1.0);
        assert!(matches!(
            unknown,
            Err(OutputError::UnknownSelection {
                index: 2,
                selections: 2,
                ..
            })
        ));
        file.finish().unwrap();
        assert_eq!(store.text("a.spikes").unwrap(), expected);
    }
}

#[test]
fn a_file_without_lines_is_empty() {
    let store = MemoryStore::new();
    let file = EventFile::create(&mut store.clone(), "a", EventFormat::TimeId, &[]).unwrap();
    file.finish().unwrap();
    assert_eq!(store.text("a").unwrap(), "");
}

#[test]
fn times_stand_alone() {
    let store = MemoryStore::new();
    let mut file = TimesFile::create(&mut store.clone(), "times").unwrap();
    file.time(0.0).unwrap();
    file.time(5e-5).unwrap();
    file.finish().unwrap();
    assert_eq!(store.text("times").unwrap(), "0.0\n5.0E-5\n");
}

#[test]
fn report() {
    let store = MemoryStore::new();
    let report = Report {
        simulator: "jlems-rs".to_owned(),
        simulator_version: "0.1.0".to_owned(),
        simulation_file: "/models/LEMS_a.xml".to_owned(),
        start_time: "2026-01-31 12:00:00".to_owned(),
        setup_seconds: 0.25,
        simulation_seconds: 1.5,
        save_seconds: 0.0,
    };
    let name = expand_report_name("r.__SIMULATOR__.__TIMESTAMP__.txt", "jlems-rs", || {
        "20260131120000".to_owned()
    });
    write_report(&mut store.clone(), &name, &report).unwrap();
    assert_eq!(
        store.text("r.jlems-rs.20260131120000.txt").unwrap(),
        "# Report of running simulation with jlems-rs v0.1.0\n\
         Simulator=jlems-rs\n\
         SimulatorVersion=0.1.0\n\
         SimulationFile=/models/LEMS_a.xml\n\
         StartTime=2026-01-31 12:00:00\n\
         SetupTime=0.25\n\
         RealSimulationTime=1.5\n\
         SimulationSaveTime=0.0\n"
    );
}

/// Records each write; the disk is full from the write number `capacity` on.
#[derive(Clone, Default)]
struct SmallStore {
    writes: Arc<Mutex<Vec<String>>>,
    capacity: usize,
}

impl OutputStore for SmallStore {
    fn create(&mut self, _: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        Ok(Box::new(self.clone()))
    }

    fn reopen(&mut self, path: &str, _: &Mark) -> Result<Box<dyn OutputSink>, OutputError> {
        self.create(path)
    }
}

impl OutputSink for SmallStore {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let mut writes = self.writes.lock().unwrap();
        if writes.len() == self.capacity {
            return Err(OutputError::Write {
                path: "v.dat".to_owned(),
                message: "disk full".to_owned(),
            });
        }
        writes.push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(())
    }

    fn mark(&mut self) -> Result<Mark, OutputError> {
        Ok(Mark::default())
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        self.writes.lock().unwrap().push("finished".to_owned());
        Ok(())
    }
}

#[test]
fn lines_go_out_whole_and_in_large_pieces() {
    let mut store = SmallStore {
        capacity: usize::MAX,
        ..SmallStore::default()
    };
    let mut file = DataFile::create(&mut store, "v.dat").unwrap();
    for row in 0..10_000 {
        file.row([f64::from(row), 0.1]).unwrap();
    }
    file.finish().unwrap();
    let writes = store.writes.lock().unwrap();
    let (last, pieces) = writes.split_last().unwrap();
    assert_eq!(last, "finished");
    assert!(pieces.len() < 4, "{} pieces", pieces.len());
    assert!(pieces.iter().all(|piece| piece.ends_with("\t\n")));
    assert_eq!(pieces.concat().lines().count(), 10_000);
}

#[test]
fn a_failed_write_reaches_the_caller_and_nothing_is_finished() {
    let mut store = SmallStore {
        capacity: 1,
        ..SmallStore::default()
    };
    let mut file = DataFile::create(&mut store, "v.dat").unwrap();
    let failed = (0..100_000)
        .map(|row| file.row([f64::from(row)]))
        .find_map(Result::err);
    assert!(matches!(failed, Some(OutputError::Write { .. })));
    file.row([1.0]).unwrap();
    assert!(matches!(file.finish(), Err(OutputError::Write { .. })));
    let writes = store.writes.lock().unwrap();
    assert_eq!(writes.len(), 1);
    assert!(writes[0].ends_with("\t\n"));
}
