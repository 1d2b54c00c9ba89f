//! Writes a page of text as PDF.

use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str};

/// The number of lines on a page.
pub(in crate::domain) const MAX_LINES: usize = 40;

/// The size of A4 in points.
const PAGE: Rect = Rect {
    x1: 0.0,
    y1: 0.0,
    x2: 595.0,
    y2: 842.0,
};
const FONT: Name<'_> = Name(b"F1");

/// A PDF of one page, with a title and lines below it.
pub(in crate::domain) fn page(title: &str, lines: &[String]) -> Vec<u8> {
    let [catalog, tree, page, content, font] = [1, 2, 3, 4, 5].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids([page]).count(1);
    let mut leaf = pdf.page(page);
    leaf.media_box(PAGE).parent(tree).contents(content);
    leaf.resources().fonts().pair(FONT, font);
    leaf.finish();
    pdf.type1_font(font).base_font(Name(b"Helvetica"));
    let mut text = Content::new();
    text.begin_text()
        .set_font(FONT, 16.0)
        .next_line(50.0, 780.0)
        .show(Str(title.as_bytes()));
    text.set_font(FONT, 10.0).next_line(0.0, -10.0);
    for line in lines {
        text.next_line(0.0, -16.0).show(Str(line.as_bytes()));
    }
    text.end_text();
    pdf.stream(content, &text.finish());
    pdf.finish()
}
