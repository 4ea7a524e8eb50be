// Certificates of attn.tensor_attention: the check must be one of all sets of keys, in their order.
// RUN: polyattn-opt %s --attn-verify-certificates --split-input-file --verify-diagnostics

func.func @good(%arg0: tensor<512x16xf32>, %arg1: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %0 = attn.check_bound %arg0, %arg0, %arg1 scale 2.500000e-01 bound 0.5001220703125 max_norm 80.634947193198542 : tensor<512x16xf32>, tensor<512x16xf32>, tensor<512x16xf32>
  %1 = scf.if %0 -> (tensor<512x16xf32>) {
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <5.000000e-01, declared> certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 2.0543831062973827E-4, output_error = 0.0053608595377803983, max_keys = 512, assumption = guarded> : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  } else {
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  }
  return %1 : tensor<512x16xf32>
}

// -----

func.func @one_set_unchecked(%arg0: tensor<512x16xf32>, %arg1: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %0 = attn.check_bound %arg0, %arg0 scale 2.500000e-01 bound 0.5001220703125 max_norm 80.634947193198542 : tensor<512x16xf32>, tensor<512x16xf32>
  %1 = scf.if %0 -> (tensor<512x16xf32>) {
    // expected-error @+1 {{has a certificate that assumes a run-time check, but is not in the then-region of an scf.if on attn.check_bound of its own inputs}}
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <5.000000e-01, declared> certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 2.0543831062973827E-4, output_error = 0.0053608595377803983, max_keys = 512, assumption = guarded> : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  } else {
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  }
  return %1 : tensor<512x16xf32>
}

// -----

func.func @same_keys_twice(%arg0: tensor<512x16xf32>, %arg1: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %0 = attn.check_bound %arg0, %arg0, %arg0 scale 2.500000e-01 bound 0.5001220703125 max_norm 80.634947193198542 : tensor<512x16xf32>, tensor<512x16xf32>, tensor<512x16xf32>
  %1 = scf.if %0 -> (tensor<512x16xf32>) {
    // expected-error @+1 {{has a certificate that assumes a run-time check, but is not in the then-region of an scf.if on attn.check_bound of its own inputs}}
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <5.000000e-01, declared> certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 2.0543831062973827E-4, output_error = 0.0053608595377803983, max_keys = 512, assumption = guarded> : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  } else {
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  }
  return %1 : tensor<512x16xf32>
}

// -----

func.func @norms_unlimited(%arg0: tensor<512x16xf32>, %arg1: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %0 = attn.check_bound %arg0, %arg0, %arg1 scale 2.500000e-01 bound 0.5001220703125 max_norm 80.64 : tensor<512x16xf32>, tensor<512x16xf32>, tensor<512x16xf32>
  %1 = scf.if %0 -> (tensor<512x16xf32>) {
    // expected-error @+1 {{has a certificate that assumes a run-time check, but is not in the then-region of an scf.if on attn.check_bound of its own inputs}}
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <5.000000e-01, declared> certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 2.0543831062973827E-4, output_error = 0.0053608595377803983, max_keys = 512, assumption = guarded> : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  } else {
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  }
  return %1 : tensor<512x16xf32>
}

// -----

func.func @rounding_of_one_set(%arg0: tensor<512x16xf32>, %arg1: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %0 = attn.check_bound %arg0, %arg0, %arg1 scale 2.500000e-01 bound 0.5001220703125 max_norm 80.634947193198542 : tensor<512x16xf32>, tensor<512x16xf32>, tensor<512x16xf32>
  %1 = scf.if %0 -> (tensor<512x16xf32>) {
    // expected-note @+2 {{claimed}}
    // expected-error @+1 {{certificate claims less rounding_error than can be proved}}
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <5.000000e-01, declared> certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 1.0E-4, output_error = 0.0053, max_keys = 512, assumption = guarded> : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  } else {
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  }
  return %1 : tensor<512x16xf32>
}

// -----

func.func @too_many_keys(%arg0: tensor<512x16xf32>, %arg1: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %0 = attn.check_bound %arg0, %arg0, %arg1 scale 2.500000e-01 bound 0.5001220703125 max_norm 80.634947193198542 : tensor<512x16xf32>, tensor<512x16xf32>, tensor<512x16xf32>
  %1 = scf.if %0 -> (tensor<512x16xf32>) {
    // expected-error @+1 {{has 512 keys but its certificate covers only 511}}
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 kernel poly<[1.0018859844503767, 1.0305960550218747, 0.49223380140288781]> bound <5.000000e-01, declared> certificate <score_bound = 0.5001220703125, kernel_error = 0.0051553869717075882, weight_change = 0.0051554212271506588, rounding_error = 2.0543831062973827E-4, output_error = 0.0053608595377803983, max_keys = 511, assumption = guarded> : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  } else {
    %2 = attn.tensor_attention %arg0 keys(%arg0, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) values(%arg1, %arg1 : tensor<512x16xf32>, tensor<512x16xf32>) scale 2.500000e-01 : tensor<512x16xf32> -> tensor<512x16xf32>
    scf.yield %2 : tensor<512x16xf32>
  }
  return %1 : tensor<512x16xf32>
}
