//! A page of paper: the smallest PDF that readers open.

use std::fmt::Write as _;

/// A PDF of one page with these lines.
pub fn pdf(lines: &[&str]) -> Vec<u8> {
    let mut words = String::from("BT /F1 14 Tf 60 780 Td 22 TL\n");
    for line in lines {
        let line = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        let _ = writeln!(words, "({line}) Tj T*");
    }
    words.push_str("ET");
    let parts = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{words}\nendstream", words.len()),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        places.push(out.len());
        let _ = write!(out, "{} 0 obj\n{part}\nendobj\n", at + 1);
    }
    let index = out.len();
    let _ = write!(out, "xref\n0 {}\n0000000000 65535 f \n", parts.len() + 1);
    for place in &places {
        let _ = writeln!(out, "{place:010} 00000 n ");
    }
    let _ = write!(out, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{index}\n%%EOF\n", parts.len() + 1);
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::pdf;

    #[test]
    fn the_index_points_at_the_parts() {
        let text = String::from_utf8(pdf(&["One (1)", "Two \\ three"])).unwrap();
        let index: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert!(text[index..].starts_with("xref"));
        for (at, line) in text[index..].lines().skip(3).take(4).enumerate() {
            let place: usize = line[..10].parse().unwrap();
            assert!(text[place..].starts_with(&format!("{} 0 obj", at + 1)));
        }
    }
}
