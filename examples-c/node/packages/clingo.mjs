/* clingo: answer sets; queens, a colouring, an optimum, and a program with an error. */
import clingo from 'clingo-wasm';

const programs = {
  queens: ['#const n = 8. { q(X, 1..n) } = 1 :- X = 1..n. :- q(X, Y), q(Z, Y), X < Z. :- q(X, Y), q(Z, W), X < Z, |X - Z| = |Y - W|. #show q/2.', 0],
  colours: ['c(r;g;b). n(1..5). e(1,2;2,3;3,4;4,5;5,1). { k(N, C) : c(C) } = 1 :- n(N). :- e(A, B), k(A, C), k(B, C). #show k/2.', 0],
  optimum: ['{ t(1..12) }. :- #sum { X : t(X) } < 40. #minimize { X * X : t(X) }. #show t/1.', 0],
  wrong: ['a :- b(', 1],
};
for (const [name, [program, models]] of Object.entries(programs)) {
  const result = await clingo.run(program, models);
  if (result.Result === 'ERROR') console.log(name, result.Error);
  else {
    const sets = result.Call[0].Witnesses.map((witness) => (witness.Value ?? []).toSorted().join(' ')).sort();
    console.log(name, result.Result, result.Models.Number, sets.slice(0, 2), sets.length);
  }
}
