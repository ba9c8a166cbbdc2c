/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "common/err.h"
#include "sim/pack.h"
#include "sim/report.h"

enum { SLEEP_MAX_MS = 86400000 }; /* where the board sets no timer */

/* In real time the board's clock runs on while the machine is too slow for its steps. Otherwise it belongs to the simulated world. */
static uint64_t skipped_ms(const struct pack *p)
{
    bool real = p->options->speed == 1 && !p->options->lossless && !p->options->utc_start;

    return real ? p->late_ms : 0;
}

/* The post's user plugs it in when the scenario charges, and goes when the charge is over. */
static void move_dc_charger(struct pack *p)
{
    enum charger_gbt_phase was = p->dc.gbt.phase;

    p->dc.plugged = p->dc.started = p->model.phase == MODEL_CHARGE;
    p->model.fast_A = dc_charger_step(&p->dc, &p->world);
    p->model.fast_gives_A = -p->dc.gbt.output_mA / 1000.0;
    p->model.fast_over = p->dc.gbt.phase == CHARGER_DONE;
    if (was != p->dc.gbt.phase)
        report_info("charger", "phase=%s soc=%.3f", charger_gbt_phase_text(p->dc.gbt.phase), cells_soc(&p->model.cells));
}

/* The board sleeps, the vehicle stands, until somebody turns the key, plugs in, or the board's timer ends. Returns how long. */
static uint32_t sleep_through(struct pack *p)
{
    const struct biu_out *out = &p->board.app.out;
    uint32_t ms = 0, wake_ms = out->wake_after_ms ? out->wake_after_ms : SLEEP_MAX_MS;

    while (ms < wake_ms && !(p->world.inputs.inputs & (BIU_INPUT_KEYON | BIU_INPUT_CHARGER))) {
        model_step(&p->model, &p->world);
        world_step(&p->world);
        ms += WORLD_STEP_MS;
    }
    report_info("pack", "board slept ms=%u", ms);
    pack_sleep(p, ms);
    return ms;
}

int pack_run_model(struct pack *p, uint64_t utc_ms)
{
    int scenario = scenario_by_name(p->options->scenario);
    const struct sample *s;
    int got = 0;

    if (scenario < 0) {
        report_error("pack", "unknown scenario=%s", p->options->scenario);
        return BMS_ERR_RANGE;
    }
    model_init(&p->model, (enum scenario)scenario, p->chemistry, param_rows[PARAM_capacity_mAh].dflt[p->chemistry], p->wiring.cells,
               p->seed);
    model_soak(&p->model, (double)p->options->ambient_C);
    p->model.fast = strcmp(p->options->charger, "gbt") == 0;
    if (p->model.fast)
        got = dc_charger_init(&p->dc, &p->bus[2], &dc_charger_usual);
    while (got >= 0 && !pack_is_done(p)) {
        if (p->model.fast)
            move_dc_charger(p);
        model_step(&p->model, &p->world);
        utc_ms += WORLD_STEP_MS;
        got = pack_step(p, utc_ms + skipped_ms(p), &s);
        if (got >= 0 && p->board.app.out.sleep)
            utc_ms += sleep_through(p);
    }
    if (got >= 0)
        pack_flush(p, utc_ms + skipped_ms(p));
    report_info("pack", "stopped samples=%llu frames=%llu dropped=%llu late_ms=%llu", (unsigned long long)p->samples,
                (unsigned long long)p->bus[0].frames, (unsigned long long)doors_dropped(&p->doors), (unsigned long long)p->late_ms);
    return got >= 0 || got == BMS_ERR_STATE ? BMS_ERR_OK : got;
}
