//! The table: each figure of ours beside a probe of the same run.
use crate::process::Memory;
use std::fmt::Write as _;

/// One line.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What was measured.
    pub path: String,
    /// Its rate or latency.
    pub figure: String,
    /// What it is compared with.
    pub probe: String,
    /// The one by the other.
    pub ratio: Option<f64>,
    /// What it should be.
    pub goal: String,
    /// Whether it is so; `None` for a line that is only information.
    pub met: Option<bool>,
    /// CPU of one operation, in microseconds.
    pub cpu_us: Option<f64>,
    /// What the process takes up meanwhile.
    pub memory: Option<Memory>,
}

/// All lines so far; each is printed as it comes, so that a run that is broken off has told something.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    /// What was left out, and why.
    pub skipped: Vec<String>,
}

impl Table {
    /// One more.
    pub fn add(&mut self, row: Row) {
        eprintln!("  {}: {}{}", row.path, row.figure, verdict(row.met));
        self.rows.push(row);
    }

    /// Something that cannot be measured here.
    pub fn skip(&mut self, what: &str) {
        eprintln!("  SKIPPED: {what}");
        self.skipped.push(what.to_owned());
    }

    /// How many goals were met, and missed.
    pub fn verdicts(&self) -> (usize, usize) {
        let count = |met| self.rows.iter().filter(|row| row.met == Some(met)).count();
        (count(true), count(false))
    }

    /// The table, as Markdown that also reads well as it is.
    pub fn text(&self) -> String {
        let heads = ["path", "figure", "probe", "ratio", "goal", "", "CPU/op", "RSS anon + file"];
        let rows: Vec<[String; 8]> =
            std::iter::once(heads.map(str::to_owned)).chain(self.rows.iter().map(cells)).collect();
        let widths: Vec<usize> =
            (0..8).map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
        let mut text = String::new();
        for (at, row) in rows.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(text, "| {cell:width$} ");
            }
            text.push_str("|\n");
            if at == 0 {
                for width in &widths {
                    let _ = write!(text, "|{}", "-".repeat(width + 2));
                }
                text.push_str("|\n");
            }
        }
        for what in &self.skipped {
            let _ = writeln!(text, "\nSKIPPED: {what}");
        }
        let (met, missed) = self.verdicts();
        let _ = writeln!(text, "\n{met} goals met, {missed} missed, {} skipped", self.skipped.len());
        text
    }
}

fn verdict(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => " (met)",
        Some(false) => " (MISSED)",
        None => "",
    }
}

fn cells(row: &Row) -> [String; 8] {
    [
        row.path.clone(),
        row.figure.clone(),
        row.probe.clone(),
        row.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
        row.goal.clone(),
        row.met.map(|met| if met { "met" } else { "MISSED" }.to_owned()).unwrap_or_default(),
        row.cpu_us
            .map(|us| if us < 1000.0 { format!("{us:.1} µs") } else { format!("{:.2} ms", us / 1000.0) })
            .unwrap_or_default(),
        row.memory.map(|of| format!("{} + {} MB", mb(of.anonymous), mb(of.file))).unwrap_or_default(),
    ]
}

/// Megabytes, with one digit.
pub fn mb(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// `60,123/s`
pub fn rate(of: f64) -> String {
    let whole = (of.round() as u64).to_string();
    let mut text = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + "/s"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_counts_its_goals_and_keeps_its_columns() {
        let mut table = Table::default();
        table.add(Row {
            path: "a µ".into(),
            figure: rate(1_234_567.4),
            ratio: Some(0.756),
            met: Some(true),
            ..Row::default()
        });
        table.add(Row {
            path: "b".into(),
            figure: rate(12.0),
            met: Some(false),
            cpu_us: Some(1500.0),
            ..Row::default()
        });
        table.skip("c");
        let text = table.text();
        assert!(
            text.contains("1,234,567/s")
                && text.contains("| 0.76 ")
                && text.contains("MISSED")
                && text.contains("1.50 ms"),
            "{text}"
        );
        assert!(text.ends_with("1 goals met, 1 missed, 1 skipped\n"));
        let lines: Vec<usize> = text.lines().take(4).map(|line| line.chars().count()).collect();
        assert!(lines.iter().all(|length| *length == lines[0]), "{text}");
    }
}
