/* MuPDF: makes a PDF, reads it again, finds its text, and draws it to an image. */
import * as mupdf from 'mupdf';
import { digest } from './digest.mjs';

const html = `<html><body><h1>Inlay</h1><p>A document with <b>bold</b> and <i>italic</i> text, äöü and a table.</p>
<table><tr><td>one</td><td>two</td></tr></table>${'<p>Some more of it, so that there are pages.</p>'.repeat(60)}</body></html>`;
const book = mupdf.Document.openDocument(Buffer.from(html), 'text/html');
book.layout(300, 400, 11);
console.log('pages', book.countPages());
const page = book.loadPage(0);
console.log(page.toStructuredText().asText().slice(0, 90));
const pixmap = page.toPixmap(mupdf.Matrix.scale(2, 2), mupdf.ColorSpace.DeviceRGB, false, true);
console.log(pixmap.getWidth(), pixmap.getHeight(), digest(pixmap.getPixels()), digest(pixmap.asPNG()));

const pdf = new mupdf.PDFDocument();
const font = pdf.addSimpleFont(new mupdf.Font('Times-Roman'));
const resources = { Font: { F1: font } };
pdf.insertPage(-1, pdf.addPage([0, 0, 200, 100], 0, resources, 'BT /F1 24 Tf 20 40 Td (Made by hand) Tj ET 1 0 0 rg 10 10 50 5 re f'));
const bytes = pdf.saveToBuffer('compress').asUint8Array();
const again = mupdf.Document.openDocument(bytes, 'application/pdf');
console.log(again.loadPage(0).toStructuredText().asText().trim(), JSON.stringify(again.loadPage(0).search('hand')));
console.log(digest(again.loadPage(0).toPixmap([3, 0, 0, 3, 0, 0], mupdf.ColorSpace.DeviceGray, false).getPixels()));
try {
  mupdf.Document.openDocument(Buffer.from('nothing'), 'application/pdf').countPages();
} catch (error) {
  console.log(error.message);
}
