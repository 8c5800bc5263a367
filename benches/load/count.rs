//! What came of a load, and what it cost the server.

use std::time::{Duration, Instant};

/// The first part of a run is not counted.
const WARM: Duration = Duration::from_millis(300);

/// Answers and their waits.
#[derive(Default)]
pub struct Count {
    pub under_way: usize,
    pub answered: u64,
    pub wrong: u64,
    pub lost: u64,
    waits_micros: Vec<u32>,
    /// When the last answer came, and the longest time without one, in microseconds.
    last: Option<Instant>,
    gap_micros: u128,
}

impl Count {
    /// An answer has come.
    pub fn take(&mut self, waited: Duration, is_right: bool) {
        let now = Instant::now();
        let since = self.last.replace(now).map_or(Duration::ZERO, |last| now - last);
        self.gap_micros = self.gap_micros.max(since.as_micros());
        self.answered += 1;
        self.wrong += u64::from(!is_right);
        self.waits_micros.push(waited.as_micros() as u32);
    }
}

/// The time of a run, and what its server has cost since counting began.
pub struct Meter {
    processes: Vec<u32>,
    length: Duration,
    began: Instant,
    /// Since when it counts, and what had been spent then.
    since: Option<(Instant, [f64; 3])>,
}

impl Meter {
    pub fn new(processes: Vec<u32>, length: Duration) -> Meter {
        Meter { processes, length, began: Instant::now(), since: None }
    }

    /// The time, until the run is over. When the first part of it is, counts anew.
    pub fn goes_on(&mut self, count: &mut Count) -> Option<Instant> {
        let now = Instant::now();
        if self.since.is_none() && now - self.began >= WARM {
            self.since = Some((now, cost_of(&self.processes)));
            *count = Count { under_way: count.under_way, ..Count::default() };
        }
        (now - self.began < WARM + self.length).then_some(now)
    }

    /// A line of JSON.
    pub fn tell(&self, count: &mut Count) -> String {
        let (since, before) = self.since.expect("it was counted");
        let (after, seconds) = (cost_of(&self.processes), since.elapsed().as_secs_f64());
        let cost = [0, 1, 2].map(|part| after[part] - before[part]);
        let Count { answered, wrong, lost, waits_micros, gap_micros, .. } = count;
        waits_micros.sort_unstable();
        let wait = |share: f64| {
            let at = (waits_micros.len() as f64 * share) as usize;
            waits_micros.get(at).or(waits_micros.last()).copied().unwrap_or(0)
        };
        let each = |seconds: f64| (seconds * 1e9 / *answered as f64).round();
        format!(
            "{{\"answered\": {answered}, \"wrong\": {wrong}, \"lost\": {lost}, \"per_second\": {:.0}, \"p50_us\": {}, \
             \"p99_us\": {}, \"p999_us\": {}, \"gap_us\": {gap_micros}, \"server_ns\": {}, \"user_ns\": {}, \"system_ns\": {}, \
             \"busy\": {:.2}}}",
            *answered as f64 / seconds,
            wait(0.5),
            wait(0.99),
            wait(0.999),
            each(cost[0]),
            each(cost[1]),
            each(cost[2]),
            cost[0] / seconds,
        )
    }
}

/// Seconds that threads of `processes` were on a CPU; of the processes in user mode; and in the kernel.
fn cost_of(processes: &[u32]) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for process in processes {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
        for task in tasks.flatten() {
            let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let nanos: f64 = text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
            sum[0] += nanos / 1e9;
        }
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks: Vec<f64> = fields.skip(11).take(2).map(|n| n.parse().unwrap_or(0.0)).collect();
        for (sum, ticks) in sum[1..].iter_mut().zip(ticks) {
            *sum += ticks / 100.0;
        }
    }
    sum
}
