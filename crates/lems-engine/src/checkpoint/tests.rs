//! Checkpoints of a run with random numbers and events on their way, whole and damaged.

#![allow(
    clippy::cast_possible_truncation,
    reason = "checkpoints of tests are small"
)]

use std::ops::ControlFlow;
use std::sync::LazyLock;

use lems_ir::Interpreter;
use lems_output::MemoryStore;
use proptest::prelude::*;

use super::bytes::{HEADER, MAGIC};
use super::*;
use crate::tests::{TYPES, simulation};
use crate::{EngineError, Moment, RunSettings, Summary};

const STEPS: u64 = 12;

fn text() -> String {
    format!(
        r#"<Lems>{TYPES}
             <ComponentType name="ring"><Parameter name="pause" dimension="time"/><Children name="walkers" type="walker"/>
               <Structure><With instance="a" as="a"/><With instance="b" as="b"/>
                 <EventConnection from="a" to="b" delay="pause"/>
                 <EventConnection from="b" to="a" delay="pause"/></Structure></ComponentType>
             <ComponentType name="walker"><EventPort name="in" direction="in"/>
               <EventPort name="out" direction="out"/>
               <Dynamics><StateVariable name="x" dimension="none"/>
                 <TimeDerivative variable="x" value="random(1) / SEC"/>
                 <OnCondition test="x .gt. 1"><StateAssignment variable="x" value="0"/>
                   <EventOut port="out"/></OnCondition>
                 <OnEvent port="in"><StateAssignment variable="x" value="x + 0.25"/></OnEvent>
               </Dynamics></ComponentType>
             <ring id="ring" pause="2.5 s"><walker id="a"/><walker id="b"/></ring>
             <sim id="r" step="1 s" length="{STEPS} s" target="ring">
               <file name="x.dat"><column quantity="a/x"/><column quantity="b/x"/></file>
               <eventFile fileName="x.events" format="TIME_ID">
                 <selection id="a" select="a" port="out"/><selection id="b" select="b" port="out"/>
               </eventFile></sim></Lems>"#
    )
}

/// The same run for all tests.
static RUN: LazyLock<Simulation> = LazyLock::new(|| simulation(&text()));

fn go(
    run: &Simulation,
    from: Option<Checkpoint>,
    watch: &mut dyn FnMut(&mut Moment<'_, '_>),
) -> (Result<Summary, EngineError>, MemoryStore) {
    let store = MemoryStore::new();
    let mut control = |moment: &mut Moment<'_, '_>| {
        watch(moment);
        ControlFlow::Continue(1)
    };
    let interpreter = Interpreter::new(&run.program);
    let settings = RunSettings {
        steps_between_checkpoints: 1,
        ..RunSettings::default()
    };
    let store_of_run = &mut store.clone();
    let result = run.run(&interpreter, store_of_run, from, &settings, &mut control);
    (result, store)
}

/// The checkpoints after all numbers of steps, and the outputs.
static WHOLE: LazyLock<(Vec<Vec<u8>>, MemoryStore)> = LazyLock::new(|| {
    let mut checkpoints = Vec::new();
    let mut watch = |moment: &mut Moment<'_, '_>| checkpoints.push(moment.checkpoint().unwrap());
    let (_, store) = go(&RUN, None, &mut watch);
    (checkpoints, store)
});

#[test]
fn from_every_step_the_outputs_are_the_same_and_so_is_the_next_checkpoint() {
    let (checkpoints, store) = &*WHOLE;
    assert_eq!(checkpoints.len() as u64, STEPS + 1);
    let waiting = |bytes: &Vec<u8>| {
        let checkpoint = Checkpoint::read(bytes).unwrap();
        let state = checkpoint.into_state(&RUN, None, Vec::new).unwrap().0;
        state.queue.len()
    };
    assert!(checkpoints.iter().map(waiting).max() >= Some(2));
    assert!(store.text("x.events").unwrap().lines().count() > 4);
    for (number, bytes) in checkpoints.iter().enumerate() {
        let mut again = Vec::new();
        let mut watch = |moment: &mut Moment<'_, '_>| again.push(moment.checkpoint().unwrap());
        let (result, resumed) = go(&RUN, Some(Checkpoint::read(bytes).unwrap()), &mut watch);
        assert_eq!(result.unwrap().steps, STEPS);
        assert_eq!(resumed.outputs(), store.outputs(), "from step {number}");
        assert!(again == checkpoints[number..], "from step {number}");
    }
}

fn refusal(run: &Simulation) -> CheckpointError {
    let checkpoint = Checkpoint::read(&WHOLE.0[5]).unwrap();
    match go(run, Some(checkpoint), &mut |_| {}) {
        (Err(EngineError::Checkpoint(error)), store) => {
            assert!(store.outputs().is_empty());
            error
        }
        (result, _) => panic!("{result:?}"),
    }
}

#[test]
fn another_run_is_refused_by_name() {
    let edited = |from: &str, to: &str| {
        assert!(text().contains(from));
        simulation(&text().replace(from, to))
    };
    for (run, what) in [
        (edited("step=\"1 s\"", "step=\"0.5 s\""), "another step"),
        (
            edited("2.5 s", "2 s"),
            "another model, other parameters or another seed",
        ),
        (
            edited("x + 0.25", "x + 0.5"),
            "another model, other parameters or another seed",
        ),
        (edited("<column quantity=\"b/x\"/>", ""), "other outputs"),
        (edited("x.events", "y.events"), "other outputs"),
        (edited("TIME_ID", "ID_TIME"), "other outputs"),
    ] {
        assert_eq!(refusal(&run), CheckpointError::OtherRun { what });
    }
    let mut thinned = RUN.clone();
    thinned.recording.every = 2;
    let what = "another `--every`";
    assert_eq!(refusal(&thinned), CheckpointError::OtherRun { what });
    let mut seeded = RUN.clone();
    seeded.random = JavaRandom::new(99);
    let what = "another model, other parameters or another seed";
    assert_eq!(refusal(&seeded), CheckpointError::OtherRun { what });
    let shorter = edited("length=\"12 s\"", "length=\"4 s\"");
    let (reached, steps) = (5, 4);
    assert_eq!(
        refusal(&shorter),
        CheckpointError::AfterTheEnd { reached, steps }
    );
}

#[test]
fn a_longer_run_goes_on_from_the_end_of_a_shorter_one() {
    let longer = simulation(&text().replace("length=\"12 s\"", "length=\"40 s\""));
    let (_, whole) = go(&longer, None, &mut |_| {});
    let end = Checkpoint::read(WHOLE.0.last().unwrap()).unwrap();
    let (_, resumed) = go(&longer, Some(end), &mut |_| {});
    assert_eq!(resumed.outputs(), whole.outputs());
}

/// `bytes` with a length and checksum that fit its body.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    Bytes::of(bytes.get(HEADER..).unwrap_or_default()).sealed()
}

#[test]
fn another_version_is_named() {
    let mut bytes = WHOLE.0[5].clone();
    let at = HEADER + 8;
    bytes[at..at + VERSION.len()].fill(b'9');
    let found = "9".repeat(VERSION.len());
    assert_eq!(
        Checkpoint::read(&sealed(&bytes)).unwrap_err(),
        CheckpointError::OtherVersion { found }
    );
}

#[test]
fn receivers_that_no_event_has_are_refused() {
    let mut state = State::new(&RUN.program, 0);
    let action = Action::Handle {
        handler: 0,
        instance: 1 << 30,
    };
    state.queue.push(9.0, [action]);
    let bytes = write(&RUN, &state, (1, 1.0), Content::Whole { marks: &[] });
    let checkpoint = Checkpoint::read(&bytes).unwrap();
    let refused = checkpoint.into_state(&RUN, None, Vec::new).unwrap_err();
    assert_eq!(refused, CONTENT);
}

/// Does what a caller would, with bytes from anywhere.
fn used(bytes: &[u8]) -> Result<(), EngineError> {
    let checkpoint = Checkpoint::read(bytes)?;
    go(&RUN, Some(checkpoint), &mut |_| {}).0.map(|_| ())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_checkpoint(bytes: Vec<u8>) {
        prop_assert_eq!(Checkpoint::read(&bytes).unwrap_err(), CheckpointError::NotOne);
        let _ = used(&[MAGIC, &bytes].concat());
        let _ = used(&sealed(&[&[0; HEADER], &bytes[..]].concat()));
    }

    #[test]
    fn a_part_of_a_checkpoint_is_refused(number in 0..=STEPS as usize, part in 0.0..1.0) {
        let bytes = &WHOLE.0[number];
        let length = (bytes.len() as f64 * part) as usize;
        prop_assert!(Checkpoint::read(&bytes[..length]).is_err());
        let _ = used(&sealed(&bytes[..length]));
    }

    #[test]
    fn a_change_is_refused_even_with_the_right_checksum_or_harmless(
        number in 0..=STEPS as usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..4),
    ) {
        let mut bytes = WHOLE.0[number].clone();
        for (place, change) in changes {
            let place = place.index(bytes.len());
            bytes[place] ^= change;
        }
        prop_assert!(bytes == WHOLE.0[number] || Checkpoint::read(&bytes).is_err());
        let _ = used(&sealed(&bytes));
    }
}
