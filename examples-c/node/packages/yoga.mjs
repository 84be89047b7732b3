/* Yoga: lays out a tree of flexible boxes, some of which JavaScript measures. */
import Yoga, { Direction, FlexDirection, Justify, Wrap, Edge, MeasureMode } from 'yoga-layout';

const root = Yoga.Node.create();
root.setFlexDirection(FlexDirection.Row);
root.setFlexWrap(Wrap.Wrap);
root.setJustifyContent(Justify.SpaceBetween);
root.setPadding(Edge.All, 7);
root.setWidth(500);
let measured = 0;
for (let i = 0; i < 200; i++) {
  const child = Yoga.Node.create();
  child.setMargin(Edge.Horizontal, i % 4);
  if (i % 3 === 0) {
    child.setMeasureFunc((width, mode) => (measured++, { width: mode === MeasureMode.Exactly ? width : 20 + (i % 11), height: 9.5 }));
  } else {
    child.setFlexGrow(i % 2);
    child.setWidthPercent(3 + (i % 5));
    child.setHeight(10 + (i % 6));
  }
  root.insertChild(child, i);
}
root.calculateLayout(undefined, undefined, Direction.LTR);
for (const i of [0, 1, 50, 199]) console.log(JSON.stringify(root.getChild(i).getComputedLayout()));
console.log(root.getComputedHeight(), measured);
root.freeRecursive();
