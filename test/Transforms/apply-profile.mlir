// Bounds and moments from a profile: margins, heads, proved bounds, ops and
// entries that do not fit.
// RUN: split-file %s %t
// DEFINE: %{file} =
// DEFINE: %{options} =
// DEFINE: %{apply} = polyattn-opt %t/module.mlir --attn-apply-profile="file=%t/%{file} %{options}"

// REDEFINE: %{file} = good.json
// RUN: %{apply} --remarks-filter=polyattn 2> %t/remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK --input-file=%t/remarks
// A run-time check guards what comes of it. (The first op's bound is small enough.)
// RUN: polyattn-opt %t/module.mlir --attn-apply-profile="file=%t/good.json" --attn-approximate=force=true | FileCheck %s --check-prefix=GUARD
// Twice is once.
// RUN: polyattn-opt %t/module.mlir --attn-apply-profile="file=%t/good.json" --attn-apply-profile="file=%t/good.json" | FileCheck %s

// Norm products times 1.1, second moments times 1.21; long rows where there are
// some, short ones otherwise.
// CHECK-LABEL: func.func @main
// CHECK: attn.attention
// CHECK-SAME: bound <5.500000e-01, profiled, moments = <centred_bound = 0.44{{[0-9]*}}, second_moment = 0.0484{{[0-9]*}}>>
// CHECK-SAME: head_bounds [#attn.bound<2.750000e-01, profiled, moments = <centred_bound = 0.22{{[0-9]*}}, second_moment = 0.0121{{[0-9]*}}>>, #attn.bound<5.500000e-01, profiled, moments = <centred_bound = 0.44{{[0-9]*}}, second_moment = 0.0484{{[0-9]*}}>>]
// REMARK: remark: [Passed] Annotated | {{.*}}score bound 0.55 (profiled), of centred keys 0.44, second moment 0.0484, from 3 calls with up to 700 keys, margin 1.1
// A proved bound that is smaller stays, of the op and of one head; that of the
// other head is larger than what the profile says.
// CHECK-LABEL: func.func @proved
// CHECK: attn.attention
// CHECK-SAME: bound <1.000000e+00, proved>
// CHECK-SAME: head_bounds [#attn.bound<0.11{{[0-9]*}}, profiled, moments = {{.*}}>, #attn.bound<1.000000e+00, proved>]
// REMARK: [Passed] Annotated | {{.*}}score bound 1 (proved, kept: the profile says 2.2), from 3 calls
// Declared bounds go.
// CHECK-LABEL: func.func @dynamic_heads
// CHECK: attn.attention
// CHECK-SAME: bound <2.200000e+00, profiled, moments = <centred_bound = 2.200000e+00, second_moment = 0.0484{{[0-9]*}}>> :

// GUARD-LABEL: func.func @main
// GUARD: %[[OK:.*]] = attn.check_bound
// GUARD: %[[ALL:.*]] = arith.andi %[[OK]]
// GUARD: scf.if %[[ALL]]
// GUARD: kernel poly
// GUARD-SAME: bound <5.500000e-01, profiled, {{.*}}assumption = guarded

// REDEFINE: %{options} = margin=2 replace-proved
// RUN: %{apply} | FileCheck %s --check-prefix=TWICE
// TWICE-LABEL: func.func @main
// TWICE: bound <1.000000e+00, profiled, moments = <centred_bound = 8.000000e-01, second_moment = 1.600000e-01>>
// TWICE-LABEL: func.func @proved
// TWICE: bound <4.000000e+00, profiled, moments

// REDEFINE: %{options} =
// REDEFINE: %{file} = missing.json
// RUN: not %{apply} 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: module.mlir:6:8: error: attn-apply-profile: the profile '{{.*}}missing.json' has no entry 'proved/0:q2x?x8:k2x?x8:v8:f32:full:0.5' for this op; the nearest entry is 'proved/0:q2x?x8:k2x?x8:v8:f32:full:0.25'; profile again, or use allow-missing
// MISSING: error: attn-apply-profile: no op fits the entry 'proved/0:q2x?x8:k2x?x8:v8:f32:full:0.25' of the profile '{{.*}}missing.json'; the nearest op is 'proved/0:q2x?x8:k2x?x8:v8:f32:full:0.5'; was it made from another program
// REDEFINE: %{options} = allow-missing
// RUN: not %{apply} 2>&1 | FileCheck %s --check-prefix=EXTRA --implicit-check-not='for this op'
// EXTRA: no op fits the entry
// REDEFINE: %{options} = allow-unused
// RUN: not %{apply} 2>&1 | FileCheck %s --check-prefix=UNUSED --implicit-check-not='no op fits'
// UNUSED: has no entry 'proved/0:
// RUN: sed '/main/,/^}/d' %t/module.mlir > %t/part.mlir
// RUN: polyattn-opt %t/part.mlir --attn-apply-profile="file=%t/good.json allow-unused" | FileCheck %s --check-prefix=PART
// PART: bound <2.200000e+00, profiled
// REDEFINE: %{options} = allow-missing
// REDEFINE: %{file} = one.json
// RUN: %{apply} --remarks-filter=polyattn 2>&1 | FileCheck %s --check-prefix=ALLOWED
// ALLOWED-DAG: [Passed] Annotated
// ALLOWED-DAG: [Missed] NoEntry | {{.*}}has no entry 'proved/0:
// ALLOWED-DAG: [Missed] NoEntry | {{.*}}has no entry 'dynamic_heads/0:
// REDEFINE: %{options} =
// REDEFINE: %{file} = heads.json
// RUN: not polyattn-opt %t/module.mlir --attn-apply-profile="file=%t/heads.json allow-missing" 2>&1 | FileCheck %s --check-prefix=HEADS
// HEADS: module.mlir:2:8: error: attn-apply-profile: the op has 2 query heads but the profile has 1

// RUN: not polyattn-opt %t/module.mlir --attn-apply-profile 2>&1 | FileCheck %s --check-prefix=NOFILE
// NOFILE: error: attn-apply-profile: needs file=..., a profile as polyattn-run --profile-out writes it
// RUN: not polyattn-opt %t/module.mlir --attn-apply-profile="file=%t/good.json margin=0.9" 2>&1 | FileCheck %s --check-prefix=MARGIN
// MARGIN: error: attn-apply-profile: margin must be at least 1, found 0.9
// RUN: not polyattn-opt %t/module.mlir --attn-apply-profile="file=%t/good.json margin=nan" 2>&1 | FileCheck %s --check-prefix=NANMARGIN
// NANMARGIN: error: {{.*}}
// RUN: not polyattn-opt %t/module.mlir --attn-apply-profile="file=%t/good.json margin=1e308" 2>&1 | FileCheck %s --check-prefix=HUGE
// HUGE: error: attn-apply-profile:

// Broken files, each made of the good one.
// RUN: not polyattn-opt %t/module.mlir --attn-apply-profile="file=%t/none.json" 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: none.json': cannot read: No such file or directory
// DEFINE: %{broken} = > %t/broken.json && not polyattn-opt %t/module.mlir --attn-apply-profile="file=%t/broken.json" 2>&1 | FileCheck %s --check-prefix
// RUN: sed 's/"version": 1/"version": 2/' %t/good.json %{broken}=VERSION
// VERSION: error: attn-apply-profile: '{{.*}}broken.json': unknown version 2: expected 1; profile again
// RUN: sed 's/polyattn-profile/other/' %t/good.json %{broken}=FORMAT
// FORMAT: broken.json': not a profile: expected an object with "format": "polyattn-profile"
// RUN: echo '[1, 2' %{broken}=SYNTAX
// SYNTAX: broken.json': not a profile: {{.*}}Expected
// RUN: %python -c "print('[' * 1000000)" %{broken}=NESTED
// NESTED: broken.json': not a profile: nested too deeply
// RUN: sed 's/"bound": 0.25,/"bound": NaN,/' %t/good.json %{broken}=NAN
// NAN: broken.json': not a profile:
// RUN: sed 's/"bound": 0.25,/"bound": 1e999,/' %t/good.json %{broken}=INF
// INF: broken.json': op 'main/0:q2x?x8:k1x?x8:v4:f32:causal:0.125', head 0: 'bound' must be a finite number, at least 0
// RUN: sed 's/"centred_bound": 0.2,/"centred_bound": -0.2,/' %t/good.json %{broken}=NEGATIVE
// NEGATIVE: head 0: 'centred_bound' must be a finite number, at least 0
// RUN: sed 's/"centred_bound": 0.2,//' %t/good.json %{broken}=ABSENT
// ABSENT: head 0: 'centred_bound' must be a finite number
// RUN: sed 's/"rows": 7/"rows": 7.5/' %t/good.json %{broken}=ROWS
// ROWS: head 0, long_rows: 'rows' must be an integer, at least 0
// RUN: sed 's/"heads"/"tails"/' %t/good.json %{broken}=NOHEADS
// NOHEADS: op '{{.*}}': 'heads' must be an array
// RUN: sed 's/"ops"/"hops"/' %t/good.json %{broken}=NOOPS
// NOOPS: broken.json': 'ops': expected an object

//--- module.mlir
func.func @main(%q: tensor<2x?x8xf32>, %k: tensor<1x?x8xf32>, %v: tensor<1x?x4xf32>) -> tensor<2x?x4xf32> {
  %0 = attn.attention %q, %k, %v scale 0.125 mask causal : tensor<2x?x8xf32>, tensor<1x?x8xf32>, tensor<1x?x4xf32> -> tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}
func.func @proved(%q: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %0 = attn.attention %q, %q, %q scale 0.5 bound <1.0, proved> head_bounds [#attn.bound<0.2, proved>, #attn.bound<1.0, proved>] : tensor<2x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32> -> tensor<2x?x8xf32>
  return %0 : tensor<2x?x8xf32>
}
func.func @dynamic_heads(%q: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %0 = attn.attention %q, %q, %q scale 0.5 bound <1.0, declared> : tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32> -> tensor<?x?x8xf32>
  return %0 : tensor<?x?x8xf32>
}
//--- good.json
{"format": "polyattn-profile", "version": 1, "ops": {
 "main/0:q2x?x8:k1x?x8:v4:f32:causal:0.125": {
  "calls": 3, "keys": 800, "longest": 700,
  "heads": [
   {"max_query": 1, "max_key": 2, "max_centred_key": 1.6, "max_value": 1, "bound": 0.25, "centred_bound": 0.2,
    "least_score": -0.1, "largest_score": 0.2,
    "long_rows": {"rows": 7, "second_moment": 0.01, "least_mean": -0.01, "score_range": 0.2},
    "short_rows": {"rows": 3, "second_moment": 0.9, "least_mean": -0.1, "score_range": 0.2}},
   {"max_query": 2, "max_key": 2, "max_centred_key": 1.6, "max_value": 1, "bound": 0.5, "centred_bound": 0.4,
    "least_score": -0.1, "largest_score": 0.2,
    "short_rows": {"rows": 3, "second_moment": 0.04, "least_mean": -0.1, "score_range": 0.2}}]},
 "proved/0:q2x?x8:k2x?x8:v8:f32:full:0.5": {
  "calls": 3, "keys": 800, "longest": 700,
  "heads": [
   {"max_query": 1, "max_key": 2, "max_centred_key": 1.6, "max_value": 1, "bound": 0.1, "centred_bound": 0.1},
   {"max_query": 1, "max_key": 2, "max_centred_key": 1.6, "max_value": 1, "bound": 2, "centred_bound": 2}]},
 "dynamic_heads/0:q?x?x8:k?x?x8:v8:f32:full:0.5": {
  "calls": 3, "keys": 800, "longest": 700,
  "heads": [
   {"max_query": 2, "max_key": 2, "max_centred_key": 2, "max_value": 1, "bound": 2, "centred_bound": 2,
    "least_score": -0.1, "largest_score": 0.2,
    "long_rows": {"rows": 3, "second_moment": 0.04, "least_mean": -0.1, "score_range": 0.2}}]}
}}
//--- missing.json
{"format": "polyattn-profile", "version": 1, "ops": {
 "main/0:q2x?x8:k1x?x8:v4:f32:causal:0.125": {
  "calls": 0, "keys": 0, "longest": 0, "heads": []},
 "proved/0:q2x?x8:k2x?x8:v8:f32:full:0.25": {
  "calls": 0, "keys": 0, "longest": 0, "heads": []},
 "dynamic_heads/0:q?x?x8:k?x?x8:v8:f32:full:0.5": {
  "calls": 0, "keys": 0, "longest": 0, "heads": []}
}}
//--- one.json
{"format": "polyattn-profile", "version": 1, "ops": {
 "main/0:q2x?x8:k1x?x8:v4:f32:causal:0.125": {
  "calls": 1, "keys": 1, "longest": 1,
  "heads": [
   {"max_query": 1, "max_key": 2, "max_centred_key": 1.6, "max_value": 1, "bound": 0.5, "centred_bound": 0.5},
   {"max_query": 1, "max_key": 2, "max_centred_key": 1.6, "max_value": 1, "bound": 0.5, "centred_bound": 0.5}]}
}}
//--- heads.json
{"format": "polyattn-profile", "version": 1, "ops": {
 "main/0:q2x?x8:k1x?x8:v4:f32:causal:0.125": {
  "calls": 1, "keys": 1, "longest": 1,
  "heads": [
   {"max_query": 1, "max_key": 2, "max_centred_key": 1.6, "max_value": 1, "bound": 0.5, "centred_bound": 0.5}]}
}}
