//! The report: figures, printed as they come and written as a table and a plot.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use plotters::prelude::*;

use crate::machine;

/// One row of the table.
struct Figure {
    name: String,
    value: String,
    target: Option<String>,
}

/// One figure by number of users, as a share of its value with the fewest.
pub struct Curve {
    /// What the curve shows.
    pub name: &'static str,
    /// Users, and the share.
    pub points: Vec<(f64, f64)>,
}

/// All figures.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
    curves: Vec<Curve>,
}

impl Report {
    /// Adds a figure without a target.
    pub fn record(&mut self, name: impl Into<String>, value: String) {
        self.push(name.into(), value, None);
    }

    /// Adds a figure with its target.
    pub fn record_with_target(&mut self, name: impl Into<String>, value: String, target: &str) {
        self.push(name.into(), value, Some(target.to_owned()));
    }

    /// Adds a share whose target is `minimum` percent or more.
    pub fn record_share(&mut self, name: impl Into<String>, share: f64, minimum: u32) {
        self.record_with_target(name, percent(share), &format!("{minimum} % or more"));
    }

    fn push(&mut self, name: String, value: String, target: Option<String>) {
        let suffix = target.as_ref().map_or(String::new(), |target| format!(" (target: {target})"));
        println!("  {name}: {value}{suffix}");
        self.figures.push(Figure { name, value, target });
    }

    /// Adds a curve to the plot.
    pub fn add_curve(&mut self, curve: Curve) {
        self.curves.push(curve);
    }

    /// Writes `benches/results`.
    pub fn write(&self) {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(directory.join("figures.md"), self.table()).expect("a table");
        self.plot(&directory.join("growth.svg"));
        println!("written to benches/results");
    }

    fn table(&self) -> String {
        let mut text =
            format!("Measured on {}.\n\n| figure | measured | target |\n|---|---|---|\n", machine::description());
        for Figure { name, value, target } in &self.figures {
            writeln!(text, "| {name} | {value} | {} |", target.as_deref().unwrap_or("")).expect("a line");
        }
        text
    }

    fn plot(&self, path: &PathBuf) {
        let maximum = self.curves.iter().flat_map(|curve| &curve.points).map(|point| point.1).fold(1.0, f64::max);
        let root = SVGBackend::new(path, (720, 360)).into_drawing_area();
        root.fill(&WHITE).expect("a background");
        let mut chart = ChartBuilder::on(&root)
            .margin(16)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d((1e3..1e6).log_scale(), 0.0..maximum * 1.1)
            .expect("a chart");
        chart
            .configure_mesh()
            .x_desc("users")
            .y_desc("as a share of 1,000 users")
            .x_label_formatter(&|users| format!("{users:.0}"))
            .y_label_formatter(&|share| percent(*share))
            .draw()
            .expect("axes");
        for (index, curve) in self.curves.iter().enumerate() {
            let color = Palette99::pick(index).to_rgba();
            let line = LineSeries::new(curve.points.iter().copied(), color.stroke_width(2)).point_size(3);
            chart
                .draw_series(line)
                .expect("a curve")
                .label(curve.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .background_style(WHITE.mix(0.8))
            .draw()
            .expect("a legend");
        root.present().expect("a file");
    }
}

/// Formats a share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
