//! How many instances the loops of a kernel can reach, read from the tables that the loops follow.

use lems_ir::Program;

use crate::error::Defect;

/// The smallest range that contains all ranges `links[offsets + i] .. links[offsets + i + 1]` with `i`
/// below `population`.
fn hull(links: &[u32], offsets: u32, population: u32) -> Result<(u32, u32), Defect> {
    if population == 0 {
        return Ok((0, 0));
    }
    let start = offsets as usize;
    let end = start + population as usize + 1;
    let table = links.get(start..end).ok_or(Defect::Links {
        end: end as u64,
        size: links.len(),
    })?;
    let (mut first, mut last) = (u32::MAX, 0);
    for (&from, &to) in table.iter().zip(&table[1..]) {
        if from < to {
            first = first.min(from);
            last = last.max(to);
        }
    }
    Ok((first.min(last), last))
}

/// One more than the largest instance that a `ForAttached` can reach.
pub(crate) fn attached(program: &Program, offsets: u32, population: u32) -> Result<u32, Defect> {
    hull(&program.links, offsets, population).map(|(_, last)| last)
}

/// One more than the largest instance that each of `arms` bodies of a `ForRuns` can reach.
pub(crate) fn runs(
    program: &Program,
    offsets: u32,
    runs: u32,
    population: u32,
    arms: usize,
) -> Result<Vec<u32>, Defect> {
    let mut populations = vec![0; arms];
    let (first, last) = hull(&program.links, offsets, population)?;
    // The triples of all runs that some instance can follow.
    let entry = |run: u32| u64::from(runs) + 3 * u64::from(run);
    let triples = usize::try_from(entry(first))
        .ok()
        .zip(usize::try_from(entry(last)).ok())
        .and_then(|(start, end)| program.links.get(start..end))
        .ok_or(Defect::Links {
            end: entry(last),
            size: program.links.len(),
        });
    if first == last {
        return Ok(populations);
    }
    // The largest end of a run, by the body that the run names.
    for triple in triples?.chunks_exact(3) {
        let &[arm, from, to] = triple else { continue };
        let population = populations
            .get_mut(arm as usize)
            .ok_or(Defect::Arm { arm, arms })?;
        if from < to {
            *population = to.max(*population);
        }
    }
    Ok(populations)
}

/// Whether any of the sources `port .. port + population` has a receiver.
pub(crate) fn any_receiver(program: &Program, port: u32, population: u32) -> bool {
    (port..port.saturating_add(population))
        .any(|source| program.routes.receivers(source).next().is_some())
}
