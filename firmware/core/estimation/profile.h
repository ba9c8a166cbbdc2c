/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h -- one type of cell as tables: what the model knows of it, and how far the filter may trust the model.
 *
 * Profiles are const and made by tools/fit_profile.py from recorded logs; each names its data set. Tables are read
 * bilinearly: over temperature (temp_degC, rising) and over SOC in equal steps from 0 to 1. Outside of a table its edge holds.
 */
#ifndef FIRMWARE_ESTIMATION_PROFILE_H
#define FIRMWARE_ESTIMATION_PROFILE_H

enum { EST_BRANCHES = 3, EST_SOC_OCV = 41, EST_SOC_R = 21 };

struct est_noise {      /* how far to trust the model; chosen on logs that the fit did not see */
    float white_V;      /* voltage error from one second to the next, 1 sigma */
    float white_share;  /* more of it: share of the polarisation */
    float slow_V;       /* slow error of the model at rest, 1 sigma */
    float slow_share;   /* more of it: share of the polarisation */
    float slow_cold_V;  /* more of it: for each 10 K below 25 degC, while current flows */
    float slow_s;       /* how long such an error lasts */
    float bias_C;       /* bias of the current sensor, share of the capacity per hour, 1 sigma at the start */
    float scale;        /* resistance scale, 1 sigma at the start */
    float scale_walk;   /* how far it walks in an hour, 1 sigma */
    float count_share;  /* error of counting after one full discharge, 1 sigma */
    float bound_floor;  /* the 95 % bound of SOC is this, */
    float bound_sigmas; /* and so many sigmas of the filter: less than 1.96 where its noise is larger than its errors turned out to be */
};

struct est_profile {
    const char *name;
    float capacity_Ah;                 /* the capacity that SOC means in this profile */
    int temps;                         /* rows of each table, at least 2 */
    const float *temp_degC;            /* [temps] */
    const float *ocv_V;                /* [temps][EST_SOC_OCV], between the branches of charge and discharge */
    const float *r0_ohm;               /* [temps][EST_SOC_R] */
    const float *a_V;                  /* [temps][EST_SOC_R]: a asinh(I / i0(T)), charge transfer */
    const float *rc_ohm[EST_BRANCHES]; /* [temps][EST_SOC_R] each */
    float tau_s[EST_BRANCHES];
    const float *hysteresis_V; /* [EST_SOC_R]: half the gap between the branches */
    float gamma;               /* charge of one capacity moves the hysteresis by so many e-folds */
    float i0_A, i0_K;          /* exchange current at 25 degC and its Arrhenius temperature */
    float r_K;                 /* between two rows resistances go with exp(r_K / T); 0: along a straight line */
    float most_C;              /* no sensor that tells the truth shows more, capacities an hour */
    float drive_C;             /* what a drive takes on average, capacities an hour: unseen_flow.h */
    float heat_J_per_K;        /* heat capacity of the cell; 0: it is not known, so no warming is foreseen */
    struct est_noise noise;
};

/* Of one make each, fitted on recorded logs. */
extern const struct est_profile est_profile_panasonic_nca;
extern const struct est_profile est_profile_lg_nmc;
extern const struct est_profile est_profile_a123_lfp;
extern const struct est_profile est_profile_lfp_flatzone;
extern const struct est_profile est_profile_leaf_lmo;
/* A plain cell of each chemistry, per 1 Ah (profile_generic.c). */
extern const struct est_profile est_profile_nmc;
extern const struct est_profile est_profile_lfp;
extern const struct est_profile est_profile_nimh;
extern const struct est_profile est_profile_scap;

#endif
