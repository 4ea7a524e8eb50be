// Every number of a certificate, and everything it assumes, tampered with in turn.
// RUN: polyattn-opt %s --attn-verify-certificates --split-input-file --verify-diagnostics
// RUN: not polyattn-opt %s --attn-verify-certificates=max-keys=2048 --split-input-file 2>&1 | FileCheck %s
// CHECK: verify-certificates.mlir:[[@LINE+3]]:8: error: 'attn.attention' op certificate covers 1024 keys, fewer than the 2048 that max-keys asks for

func.func @right(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @less_kernel_error(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+2 {{certificate claims less kernel_error than can be proved}}
  // expected-note @+1 {{, proved }}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.00515023158473588, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @less_weight_change(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+2 {{certificate claims less weight_change than can be proved}}
  // expected-note @+1 {{, proved }}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.005150265805923508, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @less_rounding_error(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+2 {{certificate claims less rounding_error than can be proved}}
  // expected-note @+1 {{, proved }}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.795451500605624e-05, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @less_output_error(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+2 {{certificate claims less output_error than can be proved}}
  // expected-note @+1 {{, proved }}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052282203209295655, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @more_is_fine(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.01, weight_change = 0.011, rounding_error = 0.1, output_error = 0.2, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @wider_bound(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+2 {{certificate claims less kernel_error than can be proved}}
  // expected-note @+1 {{claimed 0.005}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.6, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @hopeless_bound(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+1 {{certificate cannot be proved}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 5.0, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @more_keys(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+2 {{certificate claims less rounding_error than can be proved}}
  // expected-note @+1 {{claimed 7.8}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1000000, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @other_polynomial(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+2 {{certificate claims less kernel_error than can be proved}}
  // expected-note @+1 {{claimed 0.005}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0, 1.0, 0.5]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @bound_beyond(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+1 {{has score bound 0.51000000000000001 but its certificate covers only 0.5001220703125}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.51, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @no_bound(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+1 {{has a certificate that assumes score_bound 0.5 but no bound}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> 
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @fewer_keys(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+1 {{has 1024 keys but its certificate covers only 512}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 512, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @not_proved(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+1 {{assumes a proved bound, but its bound is only declared}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @trusted(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = trusted>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @no_guard(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  // expected-error @+1 {{assumes a run-time check, but is not in the then-region}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}

// -----

func.func @guard(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<1024x16xf32>, tensor<1024x16xf32>
  %o = scf.if %ok -> (tensor<1024x16xf32>) {
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
    scf.yield %p : tensor<1024x16xf32>
  } else {
    scf.yield %x : tensor<1024x16xf32>
  }
  return %o : tensor<1024x16xf32>
}

// -----

func.func @guard_in_else(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<1024x16xf32>, tensor<1024x16xf32>
  %o = scf.if %ok -> (tensor<1024x16xf32>) {
    scf.yield %x : tensor<1024x16xf32>
  } else {
    // expected-error @+1 {{assumes a run-time check, but is not in the then-region}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
    scf.yield %p : tensor<1024x16xf32>
  }
  return %o : tensor<1024x16xf32>
}

// -----

func.func @guard_of_others(%x: tensor<1024x16xf32>, %y: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %ok = attn.check_bound %x, %y scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<1024x16xf32>, tensor<1024x16xf32>
  %o = scf.if %ok -> (tensor<1024x16xf32>) {
    // expected-error @+1 {{assumes a run-time check, but is not in the then-region}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
    scf.yield %p : tensor<1024x16xf32>
  } else {
    scf.yield %x : tensor<1024x16xf32>
  }
  return %o : tensor<1024x16xf32>
}

// -----

func.func @guard_other_scale(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.125 bound 0.5001220703125 max_norm 16.0 : tensor<1024x16xf32>, tensor<1024x16xf32>
  %o = scf.if %ok -> (tensor<1024x16xf32>) {
    // expected-error @+1 {{assumes a run-time check, but is not in the then-region}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
    scf.yield %p : tensor<1024x16xf32>
  } else {
    scf.yield %x : tensor<1024x16xf32>
  }
  return %o : tensor<1024x16xf32>
}

// -----

func.func @guard_too_wide(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.51 max_norm 16.0 : tensor<1024x16xf32>, tensor<1024x16xf32>
  %o = scf.if %ok -> (tensor<1024x16xf32>) {
    // expected-error @+1 {{assumes a run-time check, but is not in the then-region}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
    scf.yield %p : tensor<1024x16xf32>
  } else {
    scf.yield %x : tensor<1024x16xf32>
  }
  return %o : tensor<1024x16xf32>
}

// -----

func.func @guard_norm_too_wide(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5 max_norm 1.0e9 : tensor<1024x16xf32>, tensor<1024x16xf32>
  %o = scf.if %ok -> (tensor<1024x16xf32>) {
    // expected-error @+1 {{assumes a run-time check, but is not in the then-region}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
    scf.yield %p : tensor<1024x16xf32>
  } else {
    scf.yield %x : tensor<1024x16xf32>
  }
  return %o : tensor<1024x16xf32>
}

// -----

func.func @guard_or(%x: tensor<1024x16xf32>, %b: i1) -> tensor<1024x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<1024x16xf32>, tensor<1024x16xf32>
  %c = arith.ori %ok, %b : i1
  %o = scf.if %c -> (tensor<1024x16xf32>) {
    // expected-error @+1 {{assumes a run-time check, but is not in the then-region}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
    scf.yield %p : tensor<1024x16xf32>
  } else {
    scf.yield %x : tensor<1024x16xf32>
  }
  return %o : tensor<1024x16xf32>
}

// -----

func.func @guard_and(%x: tensor<1024x16xf32>, %b: i1) -> tensor<1024x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<1024x16xf32>, tensor<1024x16xf32>
  %c = arith.andi %b, %ok : i1
  %e = arith.andi %c, %b : i1
  %o = scf.if %e -> (tensor<1024x16xf32>) {
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
    scf.yield %p : tensor<1024x16xf32>
  } else {
    scf.yield %x : tensor<1024x16xf32>
  }
  return %o : tensor<1024x16xf32>
}

// -----

func.func @guard_elsewhere(%x: tensor<1024x16xf32>, %b: i1) -> tensor<1024x16xf32> {
  %o = scf.if %b -> (tensor<1024x16xf32>) {
    // expected-error @+1 {{assumes a run-time check, but is not in the then-region}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
    scf.yield %p : tensor<1024x16xf32>
  } else {
    scf.yield %x : tensor<1024x16xf32>
  }
  return %o : tensor<1024x16xf32>
}

// -----

func.func @keys_ule(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %i = arith.constant 0 : index
  %m = tensor.dim %x, %i : tensor<?x16xf32>
  %l = arith.constant 1024 : index
  %s = arith.cmpi ule, %m, %l : index
  %c = arith.andi %ok, %s : i1
  %o = scf.if %c -> (tensor<?x16xf32>) {
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_slt(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %i = arith.constant 0 : index
  %m = tensor.dim %x, %i : tensor<?x16xf32>
  %l = arith.constant 1025 : index
  %s = arith.cmpi slt, %m, %l : index
  %c = arith.andi %ok, %s : i1
  %o = scf.if %c -> (tensor<?x16xf32>) {
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_uge_flipped(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %i = arith.constant 0 : index
  %m = tensor.dim %x, %i : tensor<?x16xf32>
  %l = arith.constant 1024 : index
  %s = arith.cmpi uge, %l, %m : index
  %c = arith.andi %ok, %s : i1
  %o = scf.if %c -> (tensor<?x16xf32>) {
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_too_many(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %i = arith.constant 0 : index
  %m = tensor.dim %x, %i : tensor<?x16xf32>
  %l = arith.constant 1025 : index
  %s = arith.cmpi ule, %m, %l : index
  %c = arith.andi %ok, %s : i1
  %o = scf.if %c -> (tensor<?x16xf32>) {
    // expected-error @+1 {{has a dynamic number of keys, but is not in the then-region of an scf.if that checks that there are at most 1024}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_ult_too_many(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %i = arith.constant 0 : index
  %m = tensor.dim %x, %i : tensor<?x16xf32>
  %l = arith.constant 1026 : index
  %s = arith.cmpi ult, %m, %l : index
  %c = arith.andi %ok, %s : i1
  %o = scf.if %c -> (tensor<?x16xf32>) {
    // expected-error @+1 {{has a dynamic number of keys, but is not in the then-region of an scf.if that checks that there are at most 1024}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_wrong_way(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %i = arith.constant 0 : index
  %m = tensor.dim %x, %i : tensor<?x16xf32>
  %l = arith.constant 1024 : index
  %s = arith.cmpi uge, %m, %l : index
  %c = arith.andi %ok, %s : i1
  %o = scf.if %c -> (tensor<?x16xf32>) {
    // expected-error @+1 {{has a dynamic number of keys, but is not in the then-region of an scf.if that checks that there are at most 1024}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_wrong_dim(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %i = arith.constant 1 : index
  %m = tensor.dim %x, %i : tensor<?x16xf32>
  %l = arith.constant 1024 : index
  %s = arith.cmpi ule, %m, %l : index
  %c = arith.andi %ok, %s : i1
  %o = scf.if %c -> (tensor<?x16xf32>) {
    // expected-error @+1 {{has a dynamic number of keys, but is not in the then-region of an scf.if that checks that there are at most 1024}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_negative(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %i = arith.constant 0 : index
  %m = tensor.dim %x, %i : tensor<?x16xf32>
  %l = arith.constant -1 : index
  %s = arith.cmpi ule, %m, %l : index
  %c = arith.andi %ok, %s : i1
  %o = scf.if %c -> (tensor<?x16xf32>) {
    // expected-error @+1 {{has a dynamic number of keys, but is not in the then-region of an scf.if that checks that there are at most 1024}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_ne(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %i = arith.constant 0 : index
  %m = tensor.dim %x, %i : tensor<?x16xf32>
  %l = arith.constant 1024 : index
  %s = arith.cmpi ne, %m, %l : index
  %c = arith.andi %ok, %s : i1
  %o = scf.if %c -> (tensor<?x16xf32>) {
    // expected-error @+1 {{has a dynamic number of keys, but is not in the then-region of an scf.if that checks that there are at most 1024}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_unchecked(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %ok = attn.check_bound %x, %x scale 0.25 bound 0.5001220703125 max_norm 16.0 : tensor<?x16xf32>, tensor<?x16xf32>
  %o = scf.if %ok -> (tensor<?x16xf32>) {
    // expected-error @+1 {{has a dynamic number of keys, but is not in the then-region of an scf.if that checks that there are at most 1024}}
    %p = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, declared>
       certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = guarded>
       : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
    scf.yield %p : tensor<?x16xf32>
  } else {
    scf.yield %x : tensor<?x16xf32>
  }
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_unchecked_proved(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  // expected-error @+1 {{has a dynamic number of keys, but is not in the then-region of an scf.if that checks that there are at most 1024}}
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = proved>
     : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
  return %o : tensor<?x16xf32>
}

// -----

func.func @keys_trusted(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <0.5, proved>
     certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 7.8032547553609849E-5, output_error = 0.0052334537747042694, max_keys = 1024, assumption = trusted>
     : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
  return %o : tensor<?x16xf32>
}

// -----

func.func @own_polynomial(%x: tensor<1024x16xf32>) -> tensor<1024x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0, 1.0, 0.5]>
     : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x16xf32> -> tensor<1024x16xf32>
  return %o : tensor<1024x16xf32>
}
