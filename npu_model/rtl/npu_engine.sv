// The GEMM engine <T_R, T_P, T_C> with stackable PEs: runs one layer under one batch policy. docs/rtl.md tells what
// happens in which cycle.
//
// Three walks over the layer's loops go beside each other: the loader of inputs and that of weights ahead, as
// far as places in the buffers are free, and the issue of rows, one per cycle, as soon as what a row needs is
// there. A fourth follows with the stores.

// Each walk is asked for what its user needs; the other outputs are left open on purpose.
/* verilator lint_off PINCONNECTEMPTY */
module npu_engine #(
    parameter int unsigned T_R = 16,
    parameter int unsigned T_P = 8,
    parameter int unsigned T_C = 8,
    parameter int unsigned K_MAX = 4,          // 1, 2 or 4; divides T_R and T_C
    parameter int unsigned WORD = 16,
    parameter int unsigned ACC = 40,
    parameter int unsigned OUTPUT_TILES = 1,   // of accumulators, besides the queue, which is the tile that drains
    parameter int unsigned INPUT_PLACES = 2,   // tiles of inputs; more than 2 for residency row
    parameter int unsigned WEIGHT_PLACES = 2,  // tiles of weights; more than 2 for residency column
    parameter int unsigned CW = 16             // bits of coordinates and counts
) (
    input  logic                      clk,
    input  logic                      start,
    output logic                      done,
    // Control block: the layer, the batch policy and what follows from them, constant from `start` to `done`.
    input  logic [CW-1:0]             groups,
    input  logic [CW-1:0]             rows,           // B_R R
    input  logic [CW-1:0]             depth,          // P
    input  logic [CW-1:0]             channels,       // C
    input  logic [CW-1:0]             blocks,         // B_P
    input  logic [1:0]                k_log2,
    input  logic                      keep_rows,      // residency row
    input  logic                      keep_weights,   // residency column, or P fits one tile and no column comes between
    input  logic                      blocks_inside,  // weight reuse interleaved, or P fits one tile
    input  logic                      pad_rows,       // edge_rows: pad
    input  logic [CW-1:0]             input_places,   // of the buffers' those in use: 2, or two row blocks' tiles
    input  logic [CW-1:0]             weight_places,  // 2, or two columns' tiles
    input  logic [CW-1:0]             fill_cycles,    // D: 0 for this pipeline; there for engines that wait
    input  logic [5:0]                shift,          // of accumulators to words
    // Memory side. `grant` is in the same cycle as `valid`, with the words; coordinates are in words.
    output logic                      weights_first,
    output logic                      stores_first,
    output logic                      input_valid,    // a row of an input tile
    input  logic                      input_grant,
    output logic [CW-1:0]             input_group,
    output logic [CW-1:0]             input_block,
    output logic [CW-1:0]             input_row,
    output logic [CW-1:0]             input_depth0,
    output logic [CW-1:0]             input_words,
    input  logic [K_MAX*T_P*WORD-1:0] input_data,     // beyond `input_words` anything
    output logic                      weight_valid,   // a tile: column by column, k T_P places each
    input  logic                      weight_grant,
    output logic [CW-1:0]             weight_group,
    output logic [CW-1:0]             weight_depth0,
    output logic [CW-1:0]             weight_channel0,
    output logic [CW-1:0]             weight_depth,
    output logic [CW-1:0]             weight_channels,
    input  logic [T_C*T_P*WORD-1:0]   weight_data,    // beyond the real extents anything
    output logic                      output_valid,   // a row of an output tile: channel q in lane q k
    input  logic                      output_grant,
    output logic [CW-1:0]             output_group,
    output logic [CW-1:0]             output_block,
    output logic [CW-1:0]             output_row,
    output logic [CW-1:0]             output_channel0,
    output logic [CW-1:0]             output_words,
    output logic [T_C*WORD-1:0]       output_data,
    output logic                      busy,           // a row is issued, or the fill passes: a compute cycle
    // What is enabled in this cycle, for whoever counts: memories of a word each, and multipliers.
    output logic [K_MAX*T_P-1:0]      input_writes,
    output logic [K_MAX*T_P-1:0]      input_reads,
    output logic [T_C*T_P-1:0]        weight_writes,
    output logic [T_C*T_P-1:0]        weight_reads,
    output logic [T_C*T_P-1:0]        multiplications,
    output logic [T_C-1:0]            accumulator_writes,
    output logic [T_C-1:0]            accumulator_reads,
    output logic [T_C-1:0]            queue_writes,
    output logic [T_C-1:0]            queue_reads
);
  localparam int unsigned STACKING = $clog2(K_MAX);
  localparam int unsigned LANES = K_MAX * T_P;
  localparam int unsigned PLACE_BITS = $clog2(WEIGHT_PLACES);
  localparam int unsigned ACCUMULATORS = OUTPUT_TILES * T_R;
  localparam int unsigned ACC_BITS = ACCUMULATORS > 1 ? $clog2(ACCUMULATORS) : 1;
  localparam int unsigned CHANNEL_BITS = $clog2(T_C + 1);
  // Cycles from the issue of a row: buffers 1, operands 1, products 1, tree, joining of neighbours.
  localparam int unsigned SUMMED = 3 + $clog2(T_P) + STACKING;
  // Of a PE: the tile that drains; and where that is short, as many rows as are between issue and queue at once.
  localparam int unsigned QUEUE = T_R > SUMMED + 2 ? T_R : SUMMED + 2;
  localparam int unsigned QUEUE_BITS = $clog2(QUEUE);

  if (K_MAX != 1 && K_MAX != 2 && K_MAX != 4) $error("K_MAX has to be 1, 2 or 4");
  if (T_R % K_MAX != 0 || T_C % K_MAX != 0) $error("K_MAX has to divide T_R and T_C");
  if (INPUT_PLACES < 2 || WEIGHT_PLACES < 2) $error("buffers have to hold at least two tiles");
  if (OUTPUT_TILES < 1) $error("OUTPUT_TILES has to be at least 1");
  if (WORD < 2 || WORD > 32 || ACC > 64) $error("WORD has to be from 2 to 32, and ACC at most 64");
  if (ACC < 2 * WORD + $clog2(T_P) + STACKING) $error("ACC is too narrow for the sum of K_MAX T_P products");
  if (CW < $clog2(K_MAX * (ACCUMULATORS > QUEUE ? ACCUMULATORS : QUEUE) + 1) || CW < $clog2(LANES + 1) ||
      CW < $clog2(T_C + 1) || CW < $clog2(INPUT_PLACES * T_R + 1) || CW < $clog2(WEIGHT_PLACES + 1))
    $error("CW is too narrow to count what the buffers hold");

  logic [CW-1:0] k_mask, tile_rows, tile_depth, tile_channels;
  // Of k <= K_MAX no other bits: so what depends on n & k_mask is the same for all PEs of equal n mod K_MAX.
  assign k_mask        = ((CW'(1) << k_log2) - 1'b1) & CW'(K_MAX - 1);
  assign tile_rows     = CW'(T_R) >> k_log2;
  assign tile_depth    = CW'(T_P) << k_log2;
  assign tile_channels = CW'(T_C) >> k_log2;

  // ---- Loader of inputs: row by row into the place of tile `input_loaded`.
  logic input_over;
  logic [CW-1:0] input_row0, input_rows, loading_row, input_loaded, input_freed, input_fill_place;
  logic input_tile_there;  // its last row crosses
  assign input_valid      = !input_over && (input_loaded - input_freed) < input_places;
  assign input_row        = input_row0 + loading_row;
  assign input_tile_there = input_grant && loading_row + 1'b1 == input_rows;

  layer_walk #(.CW(CW)) input_walk (
      .clk, .start, .advance(input_tile_there), .groups, .rows, .depth, .channels, .blocks, .tile_rows, .tile_depth,
      .tile_channels, .rows_outside(keep_rows), .blocks_inside, .skip_rows(1'b0), .skip_channels(keep_rows),
      .skip_depth(1'b0), .skip_blocks(1'b0), .over(input_over), .group(input_group), .row0(input_row0),
      .depth0(input_depth0), .channel0(), .block(input_block), .real_rows(input_rows), .real_depth(input_words),
      .real_channels(), .first_depth(), .last_row_tile(), .last_channel_tile(), .last_depth_tile(), .last_block()
  );

  always_ff @(posedge clk) begin
    if (start) begin
      loading_row      <= '0;
      input_loaded     <= '0;
      input_fill_place <= '0;
    end else if (input_tile_there) begin
      loading_row      <= '0;
      input_loaded     <= input_loaded + 1'b1;
      input_fill_place <= input_fill_place + 1'b1 == input_places ? '0 : input_fill_place + 1'b1;
    end else if (input_grant) begin
      loading_row <= loading_row + 1'b1;
    end
  end

  // ---- Loader of weights: a tile at a time into the place of tile `weight_loaded`.
  logic weight_over;
  logic [CW-1:0] weight_loaded, weight_freed, weight_fill_place;
  assign weight_valid = !weight_over && (weight_loaded - weight_freed) < weight_places;

  layer_walk #(.CW(CW)) weight_walk (
      .clk, .start, .advance(weight_grant), .groups, .rows, .depth, .channels, .blocks, .tile_rows, .tile_depth,
      .tile_channels, .rows_outside(keep_rows), .blocks_inside, .skip_rows(keep_weights), .skip_channels(1'b0),
      .skip_depth(1'b0), .skip_blocks(blocks_inside), .over(weight_over), .group(weight_group), .row0(),
      .depth0(weight_depth0), .channel0(weight_channel0), .block(), .real_rows(), .real_depth(weight_depth),
      .real_channels(weight_channels), .first_depth(), .last_row_tile(), .last_channel_tile(), .last_depth_tile(),
      .last_block()
  );

  always_ff @(posedge clk) begin
    if (start) begin
      weight_loaded     <= '0;
      weight_fill_place <= '0;
    end else if (weight_grant) begin
      weight_loaded     <= weight_loaded + 1'b1;
      weight_fill_place <= weight_fill_place + 1'b1 == weight_places ? '0 : weight_fill_place + 1'b1;
    end
  end

  // ---- Issue: one row of the current step per cycle.
  logic over, first_depth, last_row_tile, last_channel_tile, last_depth_tile, last_block;
  logic [CW-1:0] issue_group, issue_row0, issue_channel0, real_rows, real_depth, row, fill_left;
  /* verilator lint_off UNUSEDSIGNAL */  // high bits: at most T_C
  logic [CW-1:0] real_channels;
  /* verilator lint_on UNUSEDSIGNAL */
  logic row_is_real, issue, issue_real, step_ends, unit_ends, tile_ends;
  logic input_ready, weight_ready, queue_has_room;
  logic [CW-1:0] queue_used, queue_rows, accumulator_rows;

  layer_walk #(.CW(CW)) issue_walk (
      .clk, .start, .advance(step_ends), .groups, .rows, .depth, .channels, .blocks, .tile_rows, .tile_depth,
      .tile_channels, .rows_outside(keep_rows), .blocks_inside, .skip_rows(1'b0), .skip_channels(1'b0),
      .skip_depth(1'b0), .skip_blocks(1'b0), .over(over), .group(issue_group), .row0(issue_row0), .depth0(),
      .channel0(issue_channel0), .block(),
      .real_rows, .real_depth, .real_channels, .first_depth(first_depth),
      .last_row_tile(last_row_tile), .last_channel_tile(last_channel_tile), .last_depth_tile(last_depth_tile),
      .last_block(last_block)
  );

  // Tiles are numbered in the order in which they are loaded. The step uses number `_index` in place `_place`;
  // where a tile stays, the walk comes back to `_base`, the first of those that stay, until the last use.
  logic [CW-1:0] input_index, input_base, input_place, input_base_place;
  logic [CW-1:0] weight_index, weight_base, weight_place, weight_base_place;
  logic [CW-1:0] input_place_next, weight_place_next;
  logic input_goes_back, weight_goes_back, weight_goes_on;
  assign input_goes_back   = keep_rows && !last_channel_tile;
  assign weight_goes_back  = keep_weights && !last_row_tile;
  assign weight_goes_on    = !blocks_inside || last_block;
  assign input_freed       = input_goes_back ? input_base : input_index;
  assign weight_freed      = weight_goes_back ? weight_base : weight_index;
  assign input_place_next  = input_place + 1'b1 == input_places ? '0 : input_place + 1'b1;
  assign weight_place_next = weight_place + 1'b1 == weight_places ? '0 : weight_place + 1'b1;

  assign row_is_real    = row < real_rows;
  assign input_ready    = input_loaded != input_index || loading_row > row;
  assign weight_ready   = weight_loaded != weight_index;
  assign queue_has_room = !last_depth_tile || queue_used != queue_rows;
  assign issue          = !over && fill_left == 0 && (!row_is_real || (input_ready && weight_ready && queue_has_room));
  assign issue_real     = issue && row_is_real;
  assign step_ends      = issue && row + 1'b1 == (pad_rows ? tile_rows : real_rows);
  assign unit_ends      = step_ends && last_depth_tile && (!blocks_inside || last_block);
  assign tile_ends      = step_ends && last_depth_tile && last_block;
  assign busy           = issue || fill_left != 0;

  always_ff @(posedge clk) begin
    if (start) begin
      row               <= '0;
      fill_left         <= '0;
      input_index       <= '0;
      input_base        <= '0;
      input_place       <= '0;
      input_base_place  <= '0;
      weight_index      <= '0;
      weight_base       <= '0;
      weight_place      <= '0;
      weight_base_place <= '0;
    end else begin
      if (fill_left != 0) fill_left <= fill_left - 1'b1;
      if (tile_ends) fill_left <= fill_cycles;
      if (issue) row <= step_ends ? '0 : row + 1'b1;
      if (step_ends) begin
        input_index <= tile_ends && input_goes_back ? input_base : input_index + 1'b1;
        input_place <= tile_ends && input_goes_back ? input_base_place : input_place_next;
        if (tile_ends && !input_goes_back) begin
          input_base       <= input_index + 1'b1;
          input_base_place <= input_place_next;
        end
        if (weight_goes_on) begin
          weight_index <= tile_ends && weight_goes_back ? weight_base : weight_index + 1'b1;
          weight_place <= tile_ends && weight_goes_back ? weight_base_place : weight_place_next;
        end
        if (tile_ends && !weight_goes_back) begin
          weight_base       <= weight_index + 1'b1;
          weight_base_place <= weight_place_next;
        end
      end
    end
  end

  // Of the two loads the one that is needed sooner goes first: weights, where the step waits for them; then
  // whatever is not for the next row block or column, while the present one stays; then what has fewer tiles ahead.
  logic input_is_far, weight_is_far, weights_behind;
  assign input_is_far   = input_goes_back && (input_row0 != issue_row0 || input_group != issue_group);
  assign weight_is_far  = weight_goes_back && (weight_channel0 != issue_channel0 || weight_group != issue_group);
  assign weights_behind = (weight_loaded - weight_index) < (input_loaded - input_index);
  assign weights_first  = !weight_ready || (input_is_far == weight_is_far ? weights_behind : input_is_far);
  // A store waits for loads of the present row block and column, unless the queue is half full: at one row a
  // cycle it empties no faster than the engine can fill it.
  assign stores_first   = queue_used > (queue_rows >> 1) ||
                          !((input_valid && !input_is_far) || (weight_valid && !weight_is_far));

  // ---- Accumulators and queue are rings over the memories of k PEs: row n is in PE n mod k of each stack, so
  // that stacking leaves no memory idle. A unit is what is summed up side by side: all blocks, or one.
  logic [CW-1:0] accumulator, accumulator_base, accumulator_next, queue_tail;
  assign queue_rows       = CW'(QUEUE) << k_log2;
  assign accumulator_rows = CW'(ACCUMULATORS) << k_log2;
  assign accumulator_next =
      !issue_real ? accumulator : accumulator + 1'b1 == accumulator_rows ? '0 : accumulator + 1'b1;

  always_ff @(posedge clk) begin
    if (start) begin
      accumulator      <= '0;
      accumulator_base <= '0;
      queue_tail       <= '0;
    end else begin
      accumulator <= step_ends && !last_depth_tile && weight_goes_on ? accumulator_base : accumulator_next;
      if (unit_ends) accumulator_base <= accumulator_next;
      if (issue_real && last_depth_tile) queue_tail <= queue_tail + 1'b1 == queue_rows ? '0 : queue_tail + 1'b1;
    end
  end

  logic [LANES*WORD-1:0] slices;
  logic [LANES-1:0] slice_words;
  input_buffer #(
      .T_P(T_P), .K_MAX(K_MAX), .WORD(WORD), .PLACES(INPUT_PLACES), .ROWS_PER_BANK(T_R / K_MAX), .CW(CW)
  ) inputs (
      .clk, .k_log2, .write(input_grant), .write_place(input_fill_place), .write_row(loading_row),
      .write_words(input_words), .write_data(input_data), .read(issue_real), .read_place(input_place), .read_row(row),
      .read_words(real_depth), .slices, .slice_words, .writes(input_writes), .reads(input_reads)
  );

  // ---- What travels with a row through the pipeline.
  localparam int unsigned TAG = 3 + CHANNEL_BITS + 2 * CW;
  logic [TAG-1:0] tag[0:SUMMED];
  assign tag[0] = {issue_real, first_depth, last_depth_tile, CHANNEL_BITS'(real_channels), accumulator, queue_tail};
  for (genvar i = 1; i <= SUMMED; i++) begin : g_tag
    always_ff @(posedge clk) tag[i] <= start ? '0 : tag[i-1];
  end
  logic multiply, take_weights, fetch, summed, summed_first, summed_last;
  logic [PLACE_BITS-1:0] taken_place;
  logic [CHANNEL_BITS-1:0] multiply_channels, fetch_channels, summed_channels;
  logic [CW-1:0] fetch_accumulator, summed_accumulator, summed_queue;
  assign multiply          = tag[1][TAG-1];
  assign multiply_channels = tag[1][2*CW+:CHANNEL_BITS];
  assign fetch             = tag[SUMMED-1][TAG-1] && !tag[SUMMED-1][TAG-2];  // of a partial sum that is added to
  assign fetch_channels    = tag[SUMMED-1][2*CW+:CHANNEL_BITS];
  assign fetch_accumulator = tag[SUMMED-1][CW+:CW];
  assign {summed, summed_first, summed_last, summed_channels, summed_accumulator, summed_queue} = tag[SUMMED];
  always_ff @(posedge clk) begin
    take_weights <= issue_real && row == 0 && !start;  // once for each step
    taken_place  <= PLACE_BITS'(weight_place);
  end

  // ---- Output queue, and stores.
  logic queue_read;
  logic [CW-1:0] queue_head, head_of_output, head_channels;
  output_control #(.CW(CW)) outputs (
      .clk, .start, .groups, .rows, .depth, .channels, .blocks, .tile_rows, .tile_depth, .tile_channels, .keep_rows,
      .blocks_inside, .queue_rows, .issued(issue_real && last_depth_tile), .finished(summed && summed_last),
      .queue_used, .queue_read, .queue_head, .head_channels, .head_of_output, .output_valid, .output_grant,
      .output_group, .output_block, .output_row, .output_channel0, .output_words
  );

  // ---- Processing elements, and the joining of k neighbours.
  logic [T_C*ACC-1:0] dots;
  logic [T_C*ACC-1:0] joined[0:STACKING];
  logic [T_C*WORD-1:0] queue_words;
  assign joined[0] = dots;
  for (genvar l = 1; l <= STACKING; l++) begin : g_level
    for (genvar g = 0; g < T_C; g += 1 << l) begin : g_stack
      logic [ACC-1:0] both;
      assign both = joined[l-1][g*ACC+:ACC] + joined[l-1][(g+(1<<(l-1)))*ACC+:ACC];
      for (genvar n = g; n < g + (1 << l); n++) begin : g_pe
        always_ff @(posedge clk) joined[l][n*ACC+:ACC] <= 32'(k_log2) >= l ? both : joined[l-1][n*ACC+:ACC];
      end
    end
  end

  // Words of the slice for PEs n of n mod K_MAX = m of the weight tile that comes that are of the layer.
  logic [LANES-1:0] weight_slice_words;
  for (genvar j = 0; j < LANES; j++) begin : g_weight_lane
    assign weight_slice_words[j] = CW'(T_P) * (CW'(j / T_P) & k_mask) + CW'(j % T_P) < weight_depth;
  end

  for (genvar n = 0; n < T_C; n++) begin : g_pe
    localparam int unsigned M = n % K_MAX;
    // Slice of the row and of the stack's column that this PE works on, and whose rows its accumulators have.
    logic [CW-1:0] slice, stack;
    logic [T_P-1:0] wanted;
    logic multiply_here, fetch_here, summed_here;
    assign slice         = CW'(n) & k_mask;
    assign stack         = CW'(n) >> k_log2;
    assign multiply_here = stack < CW'(multiply_channels);
    assign fetch_here    = stack < CW'(fetch_channels) && (fetch_accumulator & k_mask) == slice;
    assign summed_here   = stack < CW'(summed_channels) && (summed_accumulator & k_mask) == slice;
    assign wanted        = slice_words[M*T_P+:T_P] & {T_P{multiply_here}};

    assign weight_writes[n*T_P+:T_P]   = weight_slice_words[M*T_P+:T_P] & {T_P{weight_grant && stack < weight_channels}};
    assign weight_reads[n*T_P+:T_P]    = wanted & {T_P{take_weights}};
    assign multiplications[n*T_P+:T_P] = wanted & {T_P{multiply}};
    assign accumulator_reads[n]  = fetch && fetch_here;
    assign accumulator_writes[n] = summed && !summed_last && summed_here;
    assign queue_writes[n]       = summed && summed_last && summed_here;
    assign queue_reads[n]        = queue_read && stack < head_channels && (queue_head & k_mask) == slice;

    processing_element #(
        .T_P(T_P), .WORD(WORD), .ACC(ACC), .WEIGHT_PLACES(WEIGHT_PLACES), .ACCUMULATORS(ACCUMULATORS), .QUEUE(QUEUE)
    ) pe (
        .clk, .weight_writes(weight_writes[n*T_P+:T_P]), .weight_write_place(PLACE_BITS'(weight_fill_place)),
        .weight_words(weight_data[n*T_P*WORD+:T_P*WORD]), .take_weights, .weight_reads(weight_reads[n*T_P+:T_P]),
        .weight_read_place(taken_place), .x(slices[M*T_P*WORD+:T_P*WORD]),
        .multiply(multiplications[n*T_P+:T_P]), .dot(dots[n*ACC+:ACC]), .accumulator_read(accumulator_reads[n]),
        .accumulator_read_address(ACC_BITS'(fetch_accumulator >> k_log2)), .add(!summed_first),
        .accumulator_write(accumulator_writes[n]), .address(ACC_BITS'(summed_accumulator >> k_log2)),
        .sum(joined[STACKING][n*ACC+:ACC]), .queue_write(queue_writes[n]),
        .queue_write_address(QUEUE_BITS'(summed_queue >> k_log2)), .queue_read(queue_reads[n]),
        .queue_read_address(QUEUE_BITS'(queue_head >> k_log2)), .shift, .queue_word(queue_words[n*WORD+:WORD])
    );

    // Lane n of an output row, of which those count that are multiples of k: of its stack the PE with the row.
    always_comb begin
      output_data[n*WORD+:WORD] = queue_words[n*WORD+:WORD];
      for (int unsigned s = 1; s < K_MAX; s++)
        if ((n & s) == 0 && (n | s) < T_C && (head_of_output & k_mask) == CW'(s))
          output_data[n*WORD+:WORD] = queue_words[(n|s)*WORD+:WORD];
    end
  end

  assign done = over && fill_left == 0 && queue_used == 0 && !output_valid;
endmodule
/* verilator lint_on PINCONNECTEMPTY */
