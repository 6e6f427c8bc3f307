//! The part of a sweep that one job of many runs.

use std::str::FromStr;

use crate::SweepError;

/// A share of the points: those whose batch has this number modulo the number of shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from zero.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

impl Shard {
    /// All points.
    pub const WHOLE: Shard = Shard { number: 0, of: 1 };

    /// The shard that a job array gives to its task: Slurm, LSF, Grid Engine, PBS. `variable` reads the
    /// environment. PBS does not tell how many tasks there are: `of` does.
    ///
    /// # Errors
    /// Variables that do not make sense; PBS without `of`.
    pub fn of_job(
        variable: &dyn Fn(&str) -> Option<String>,
        of: Option<u64>,
    ) -> Result<Option<Shard>, SweepError> {
        // Names of the task's number, and of the first and the last number and the stride.
        const ARRAYS: [[&str; 4]; 3] = [
            [
                "SLURM_ARRAY_TASK_ID",
                "SLURM_ARRAY_TASK_MIN",
                "SLURM_ARRAY_TASK_MAX",
                "SLURM_ARRAY_TASK_STEP",
            ],
            [
                "SGE_TASK_ID",
                "SGE_TASK_FIRST",
                "SGE_TASK_LAST",
                "SGE_TASK_STEPSIZE",
            ],
            ["LSB_JOBINDEX", "", "LSB_JOBINDEX_END", "LSB_JOBINDEX_STEP"],
        ];
        for [id, first, last, stride] in ARRAYS {
            // Grid Engine says `undefined`, and LSF 0, in a job that is no array.
            let Some(text) = variable(id)
                .filter(|text| text != "undefined" && text != "0" || id == ARRAYS[0][0])
            else {
                continue;
            };
            let number = |name: &str, text: String| {
                let wrong = || SweepError::value(format!("the variable {name} is `{text}`"), None);
                text.parse::<u64>().map_err(|_| wrong())
            };
            let read = |name: &str, default: u64| {
                variable(name).map_or(Ok(default), |text| number(name, text))
            };
            let (id, first) = (number(id, text)?, read(first, 1)?);
            let stride = read(stride, 1)?.max(1);
            let Some(last) = variable(last) else { continue };
            let last = number("of the last task", last)?;
            let shard = Shard {
                number: id.saturating_sub(first) / stride,
                of: last.saturating_sub(first) / stride + 1,
            };
            return shard.checked().map(Some);
        }
        let pbs = variable("PBS_ARRAY_INDEX").or_else(|| variable("PBS_ARRAYID"));
        let Some(index) = pbs else { return Ok(None) };
        let (Ok(number), Some(of)) = (index.parse(), of) else {
            let message = "PBS does not tell how many tasks the array has";
            return Err(SweepError::value(message, None).with_help(
                "write it as in `--shard \"$PBS_ARRAY_INDEX/64\"`, with indices from 0",
            ));
        };
        Shard { number, of }.checked().map(Some)
    }

    /// Whether the shard runs the batch with a number.
    pub fn has(self, batch: u64) -> bool {
        batch % self.of == self.number
    }

    fn checked(self) -> Result<Shard, SweepError> {
        match self.number < self.of {
            true => Ok(self),
            false => Err(SweepError::Shard(format!("{}/{}", self.number, self.of))),
        }
    }
}

impl FromStr for Shard {
    type Err = SweepError;

    /// Reads `3/64`: the number from 0, and how many there are.
    fn from_str(text: &str) -> Result<Shard, SweepError> {
        let wrong = || SweepError::Shard(text.to_owned());
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let number = number.trim().parse().map_err(|_| wrong())?;
        let of = of.trim().parse().map_err(|_| wrong())?;
        Shard { number, of }.checked()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn of_job(variables: &[(&str, &str)]) -> Result<Option<Shard>, SweepError> {
        let find = |name: &str| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Shard::of_job(&find, None)
    }

    #[test]
    fn job_arrays_say_which_shard_a_task_is() {
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "0"),
            ("SLURM_ARRAY_TASK_MIN", "0"),
            ("SLURM_ARRAY_TASK_MAX", "63"),
        ];
        assert_eq!(of_job(&slurm).unwrap(), Some(Shard { number: 0, of: 64 }));
        let stride = [
            ("SGE_TASK_ID", "7"),
            ("SGE_TASK_FIRST", "1"),
            ("SGE_TASK_LAST", "9"),
            ("SGE_TASK_STEPSIZE", "2"),
        ];
        assert_eq!(of_job(&stride).unwrap(), Some(Shard { number: 3, of: 5 }));
        let lsf = [("LSB_JOBINDEX", "4"), ("LSB_JOBINDEX_END", "10")];
        assert_eq!(of_job(&lsf).unwrap(), Some(Shard { number: 3, of: 10 }));
        for none in [[("LSB_JOBINDEX", "0")], [("SGE_TASK_ID", "undefined")]] {
            assert_eq!(of_job(&none).unwrap(), None);
        }
        assert_eq!(of_job(&[]).unwrap(), None);
    }

    #[test]
    fn an_array_that_does_not_make_sense_is_refused() {
        assert!(of_job(&[("PBS_ARRAY_INDEX", "3")]).is_err());
        let text = [("SLURM_ARRAY_TASK_ID", "x"), ("SLURM_ARRAY_TASK_MAX", "3")];
        assert!(of_job(&text).is_err());
        for text in ["", "3", "3/", "/3", "3/3", "-1/3", "1/0", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        assert_eq!("3/64".parse(), Ok(Shard { number: 3, of: 64 }));
    }
}
