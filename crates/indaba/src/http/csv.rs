//! CSV as an answer (RFC 4180): written page by page, safe to open in a spreadsheet.

/// One line. A cell that a spreadsheet would take for a formula begins with an apostrophe.
pub fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        if !formula && !cell.contains(['"', ',', '\n', '\r']) {
            out.push_str(cell);
            continue;
        }
        out.push('"');
        if formula {
            out.push('\'');
        }
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cell_cannot_become_another_cell_or_a_formula() {
        assert_eq!(super::line(["a", "", "b c"]), "a,,b c\r\n");
        assert_eq!(super::line(["a,b", "say \"x\"", "1\n2"]), "\"a,b\",\"say \"\"x\"\"\",\"1\n2\"\r\n");
        assert_eq!(super::line(["=1+1", "+27", "-1", "@x"]), "\"'=1+1\",\"'+27\",\"'-1\",\"'@x\"\r\n");
    }
}
