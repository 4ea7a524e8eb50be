// Remarks of every kind as files, for the tools of LLVM: each of the reasons why attention stays as it is, in one module.
// RUN: polyattn-opt %s --attn-approximate='target=avx512 moments=false' --attn-schedule=target=avx512 --remarks-filter='polyattn.*' --remark-format=yaml --remarks-output-file=%t.yaml -o /dev/null
// RUN: polyattn-opt %s --attn-approximate='target=avx512 moments=false' --attn-schedule=target=avx512 --remarks-filter='polyattn.*' --remark-format=bitstream --remarks-output-file=%t.bitstream -o /dev/null

// Both formats hold the same, and each can be told apart by kind, name and function.
// RUN: llvm-remarkutil filter --parser=yaml --remark-type=missed %t.yaml -o - | FileCheck %s --check-prefix=MISSED
// RUN: llvm-remarkutil bitstream2yaml %t.bitstream -o %t.again.yaml
// RUN: llvm-remarkutil filter --parser=yaml --remark-type=missed %t.again.yaml -o - | FileCheck %s --check-prefix=MISSED
// RUN: llvm-remarkutil yaml2bitstream %t.yaml -o %t.again.bitstream
// RUN: llvm-remarkutil filter --parser=bitstream --remark-type=passed %t.again.bitstream -o - | FileCheck %s --check-prefix=PASSED
// RUN: llvm-remarkutil filter --parser=yaml --remark-type=analysis %t.yaml -o - | FileCheck %s --check-prefix=ANALYSIS
// RUN: llvm-remarkutil filter --parser=yaml --remark-name=BoundTooLarge %t.yaml -o - | FileCheck %s --check-prefix=ONE
// Numbers are numbers to it. (The quotes: lit has a `count` of its own.)
// RUN: llvm-remarkutil 'c'ount --parser=yaml --count-by=arg --args=Degree --group-by=function %t.yaml | FileCheck %s --check-prefix=COUNT

// ONE-COUNT-1: Name:
// ONE-NOT: Name:
// COUNT: Function,Degree
// COUNT-DAG: {{^}}taken,2
// COUNT-DAG: {{^}}too_large,14
// COUNT-DAG: {{^}}too_short,2

!long = tensor<8x16384x64xf32>
!heads = tensor<12x256x32xf32>
!narrow = tensor<8x16384x4xf32>
!double = tensor<8x16384x64xf64>

// PASSED:      --- !Passed
// PASSED-NEXT: Pass:            'polyattn:attn-approximate'
// PASSED-NEXT: Name:            Approximated
// PASSED:      Function:        taken
// PASSED:      - Remark:          'score bound 0.5 (declared, checked at run time): degree 2, rank 2145, certified error 0.00533 of max|value|
// PASSED-DAG:  - Degree:          '2'
// PASSED-DAG:  - Rank:            '2145'
// PASSED-DAG:  - OutputError:     '0.005{{.*}}'
// PASSED-DAG:  - Gain:            '7.{{.*}}'
// PASSED-NOT:  --- !
// ANALYSIS:      --- !Analysis
// ANALYSIS-NEXT: Pass:            'polyattn:attn-schedule'
// ANALYSIS-NEXT: Name:            State
// ANALYSIS:      Function:        taken
// ANALYSIS:      - StateCycles:     '{{[0-9.]+}}'
func.func @taken(%x: !long) -> !long {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, declared> : !long, !long, !long -> !long
  return %o : !long
}

// MISSED:      --- !Missed
// MISSED-NEXT: Pass:            'polyattn:attn-approximate'
// MISSED-NEXT: Name:            NoBound
// MISSED:      Function:        no_bound
// MISSED:      no score bound is known: add `bound <B, declared>` with B at least |scale| * max|query row| * max|key row|; it is checked at run time
func.func @no_bound(%x: !long) -> !long {
  %o = attn.attention %x, %x, %x scale 0.125 : !long, !long, !long -> !long
  return %o : !long
}

// MISSED:      Name:            BoundTooLarge
// MISSED:      Function:        too_large
// MISSED:      - Remark: 'score bound 9.8 needs degree 14, rank 2.4e+11; the state of one head would take
// MISSED-DAG:  - ScoreBound:      '9.80{{.*}}'
// MISSED-DAG:  - Degree:          '14'
// MISSED-DAG:  - Rank:            '239877544005'
func.func @too_large(%x: !heads) -> !heads {
  %o = attn.attention %x, %x, %x scale 0.17677669529663687 bound <9.8, profiled> : !heads, !heads, !heads -> !heads
  return %o : !heads
}

// MISSED:      Name:            ToleranceBelowRounding
// MISSED:      Function:        too_tight
// MISSED:      score bound 2.8 needs degree 6, rank 210, whose rounding errors over up to 16384 keys are certified only to {{[0-9.]+}}; the tolerance is 0.01; at n = 16384 a state pays for score bounds up to
func.func @too_tight(%x: !narrow) -> !narrow {
  %o = attn.attention %x, %x, %x scale 0.5 bound <2.8, declared> : !narrow, !narrow, !narrow -> !narrow
  return %o : !narrow
}

// MISSED:      Name:            TooShort
// MISSED:      Function:        too_short
// MISSED:      score bound 0.5 needs degree 2, rank 561; the state would cost {{[0-9.]+}}x direct evaluation at n = 256; with as many queries as keys it pays from n = {{[0-9]+}} on
// MISSED:      - BreakEvenLength: '{{[0-9]+}}'
func.func @too_short(%x: !heads) -> !heads {
  %o = attn.attention %x, %x, %x scale 0.17677669529663687 bound <0.5, declared> : !heads, !heads, !heads -> !heads
  return %o : !heads
}

// MISSED:      Name:            NoState
// MISSED:      Function:        bias
// MISSED:      'cannot be evaluated through a state: its scores have an additive bias
func.func @bias(%x: !long, %b: tensor<1x1x16384xf32>) -> !long {
  %o = attn.attention %x, %x, %x bias(%b : tensor<1x1x16384xf32>) scale 0.125 bound <0.5, proved> : !long, !long, !long -> !long
  return %o : !long
}

// MISSED:      Name:            NoNativeState
// MISSED:      Function:        type
// MISSED:      'score bound 0.5 needs degree 2, rank 2145; there is no native code for f64'
// MISSED-NOT:  --- !
func.func @type(%x: !double) -> !double {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, proved> : !double, !double, !double -> !double
  return %o : !double
}
