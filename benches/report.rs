//! What was measured, printed as it comes and written as a table and a plot.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use plotters::prelude::*;

use crate::machine;

/// One line of the table.
struct Figure {
    name: String,
    value: String,
    target: Option<String>,
}

/// How one figure changes with the number of users, as a share of what it is with the fewest.
pub struct Curve {
    pub name: &'static str,
    /// Users, and the share.
    pub points: Vec<(f64, f64)>,
}

/// Everything that was measured.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
    curves: Vec<Curve>,
}

impl Report {
    /// A figure that nothing is promised about.
    pub fn record(&mut self, what: impl Into<String>, value: String) {
        self.push(what.into(), value, None);
    }

    /// A figure and what it should be.
    pub fn record_with_target(&mut self, what: impl Into<String>, value: String, wanted: &str) {
        self.push(what.into(), value, Some(wanted.to_owned()));
    }

    /// A share of something else, which should be `least` percent or more.
    pub fn record_share(&mut self, what: impl Into<String>, share: f64, least: u32) {
        self.record_with_target(what, percent(share), &format!("{least} % or more"));
    }

    fn push(&mut self, what: String, value: String, wanted: Option<String>) {
        let aim = wanted.as_ref().map_or(String::new(), |wanted| format!(" (wanted: {wanted})"));
        println!("  {what}: {value}{aim}");
        self.figures.push(Figure { name: what, value, target: wanted });
    }

    /// A curve of the plot.
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
            format!("Measured on {}.\n\n| what | measured | wanted |\n|---|---|---|\n", machine::description());
        for Figure { name: what, value, target: wanted } in &self.figures {
            writeln!(text, "| {what} | {value} | {} |", wanted.as_deref().unwrap_or("")).expect("a line");
        }
        text
    }

    fn plot(&self, path: &PathBuf) {
        let most = self.curves.iter().flat_map(|curve| &curve.points).map(|point| point.1).fold(1.0, f64::max);
        let root = SVGBackend::new(path, (720, 360)).into_drawing_area();
        root.fill(&WHITE).expect("a background");
        let mut chart = ChartBuilder::on(&root)
            .margin(16)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d((1e3..1e6).log_scale(), 0.0..most * 1.1)
            .expect("a chart");
        chart
            .configure_mesh()
            .x_desc("users")
            .y_desc("as a share of 1,000 users")
            .x_label_formatter(&|users| format!("{users:.0}"))
            .y_label_formatter(&|share| percent(*share))
            .draw()
            .expect("axes");
        for (number, curve) in self.curves.iter().enumerate() {
            let color = Palette99::pick(number).to_rgba();
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

/// A share in words.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
