#include "tt_steer.h"

#include <stddef.h>

#include "tt_aim_answer.h"
#include "tt_find.h"

#define SIGN_BIT 0x80u

int32_t tt_steer_can(const tt_board_t *board, const tt_network_t *network)
{
    const int32_t can_cut = (board->cut != NULL) && (board->frame_width > 0) && (board->frame_height > 0);
    return ((network->aim_codes == (uint32_t)TT_AIM_CODES) && can_cut) ? 1 : 0;
}

void tt_steer_start(tt_steer_t *steer, const tt_board_t *board)
{
    tt_aim_start(&steer->aim, board->frame_width, board->frame_height, &tt_aim_defaults);
    steer->region = tt_aim_region(&steer->aim);
    steer->answered_width = 0;
}

/* Codes 0 to 255 from a tensor of 8 bits, in place. */
static void as_codes(uint8_t *bytes, uint32_t count, tt_dtype_t dtype)
{
    if (dtype == TT_INT8) {
        for (uint32_t i = 0; i < count; i++) {
            bytes[i] = (uint8_t)(bytes[i] ^ SIGN_BIT);
        }
    }
}

int32_t tt_steer_place(tt_steer_t *steer, const tt_board_t *board, const tt_network_t *network)
{
    const tt_network_t *finder = network->finder;
    if ((finder == NULL) || (board->view == NULL) || (tt_aim_wants_finder(&steer->aim) == 0)) {
        return 0;
    }
    const tt_box_t box = tt_find_view(board->frame_width, board->frame_height);
    if (board->view(board->context, box, network->finder_image) != 0) {
        return -1;
    }
    as_codes(network->finder_image, finder->input_bytes, finder->inputs[0].dtype);
    if (finder->run(network->finder_image, network->finder_cells) != TT_OK) {
        return -1;
    }
    as_codes(network->finder_cells, finder->output_bytes, finder->outputs[0].dtype);
    tt_find find;
    tt_find_read(network->finder_cells, board->frame_width, board->frame_height, &find);
    (void)tt_aim_found(&steer->aim, &find);
    return 0;
}

int32_t tt_steer_cut(tt_steer_t *steer, const tt_board_t *board, const tt_network_t *network, uint8_t *inputs)
{
    steer->region = tt_aim_region(&steer->aim);
    return board->cut(board->context, tt_region_box(steer->region), &network->inputs[0], inputs);
}

int32_t tt_steer_gaze_codes(const tt_network_t *network)
{
    return network->outputs[0].bytes - (int32_t)network->aim_codes;
}

void tt_steer_read(const tt_network_t *network, const uint8_t *outputs, tt_aim_answer *answer)
{
    uint8_t codes[TT_AIM_CODES];
    for (int32_t i = 0; i < TT_AIM_CODES; i++) {
        codes[i] = outputs[tt_steer_gaze_codes(network) + i];
    }
    as_codes(codes, (uint32_t)TT_AIM_CODES, network->outputs[0].dtype);
    tt_aim_read(codes, answer);
}

void tt_steer_update(tt_steer_t *steer, const tt_network_t *network, const uint8_t *outputs)
{
    tt_aim_answer answer;
    tt_steer_read(network, outputs, &answer);
    (void)tt_aim_update(&steer->aim, &answer, steer->region);
    steer->answered_width = steer->region.width;
}
