namespace Orderwright.Simulation.Tests;

/// <summary>
/// Proves that the simulation finds bugs: well-known kinds are injected, each alone. Each must be
/// found within 2,000 seeds by the invariant that the bug is known to break.
/// </summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    const int Seeds = 2_000;

    [Fact]
    public Task A_charge_without_a_deterministic_key_is_found() =>
        IsFound(() => new ChargeWithoutADeterministicKey(), "I2", "I3");

    [Fact]
    public Task A_payment_in_doubt_treated_as_refused_is_found() => IsFound(() => new InDoubtTreatedAsRefused(), "I2", "I3");

    [Fact]
    public Task An_acknowledgement_before_the_commit_is_found() => IsFound(() => new AcknowledgeBeforeCommit(), "I1");

    [Fact]
    public Task An_undo_without_a_tombstone_is_found() => IsFound(() => new UndoWithoutATombstone(), "I4", "I6");

    [Fact]
    public Task A_saga_whose_version_is_not_guarded_is_found() => IsFound(() => new SagaVersionNotGuarded(), "I2", "I3", "I4");

    [Fact]
    public Task A_former_active_instance_that_goes_on_alone_is_found() =>
        IsFound(() => new FormerActiveGoesOnAlone(), "I2", "I3", "I4");

    [Fact]
    public Task A_successor_that_does_not_take_over_the_timers_is_found() => IsFound(() => new TimersNotTakenOver(), "I7");

    [Fact]
    public Task An_order_settled_from_the_memory_of_another_instance_is_found() =>
        IsFound(() => new CachedOrderNotCompared(), "I1", "I2", "I5", "I7", "I9");

    [Fact]
    public Task A_response_not_stored_under_its_key_is_found() => IsFound(() => new ResponseNotStored(), "I1");

    [Fact]
    public Task A_balance_read_before_its_lock_is_found() => IsFound(() => new BalanceReadBeforeLock(), "I3");

    [Fact]
    public Task A_reply_to_a_step_that_is_not_outstanding_is_found() => IsFound(() => new ReplyToAnyStep(), "I2", "I4", "I6");

    [Fact]
    public Task A_living_hold_that_is_released_is_found() => IsFound(() => new LivingHoldReleased(), "I4", "I7");

    [Fact]
    public Task A_committed_hold_that_is_asked_about_without_end_is_found() => IsFound(() => new CommittedHoldKept(), "I6");

    [Fact]
    public Task A_shipment_refused_because_it_overtook_the_commit_is_found() =>
        IsFound(() => new OvertakingShipmentRefused(), "I4", "I7");

    [Fact]
    public Task A_coordinator_that_never_resends_is_found() => IsFound(() => new NoResend(), "I7");

    [Fact]
    public Task A_clock_set_back_without_repair_is_found() => IsFound(() => new ClockSkewNotRepaired(), "I7");

    [Fact]
    public Task A_cut_commit_taken_for_durable_is_found() => IsFound(() => new CutCommitTakenForDurable(), "I1");

    [Fact]
    public Task A_replay_of_an_uncertain_row_is_found() => IsFound(() => new ReplayOfAnUncertainRow(), "I1");

    [Fact]
    public Task A_failed_write_that_is_swallowed_is_found() => IsFound(() => new FailedWriteSwallowed(), "I1", "I7");

    [Fact]
    public Task An_expiry_by_the_process_clock_is_found() => IsFound(() => new DatabaseClockNotAsked(), "I5");

    [Fact]
    public Task Keys_purged_by_the_process_clock_are_found() => IsFound(() => new KeysPurgedByTheProcessClock(), "I1");

    [Fact]
    public Task A_sender_that_is_not_checked_is_found() => IsFound(() => new SenderNotChecked(), "I1", "I2", "I4");

    [Fact]
    public Task A_cancellation_that_undoes_known_steps_only_is_found() =>
        IsFound(() => new CancelUndoesKnownStepsOnly(), "I2", "I4");

    [Fact]
    public Task A_completion_that_keeps_the_allocation_is_found() =>
        IsFound(() => new CompletionKeepsTheAllocation(), "I4");

    [Fact]
    public Task Payment_reports_taken_by_arrival_are_found() => IsFound(() => new PaymentReportsByArrival(), "I3");

    [Fact]
    public Task A_payment_report_that_is_not_repeated_is_found() => IsFound(() => new PaymentReportedOnce(), "I3");

    [Fact]
    public Task A_discount_limit_that_is_not_read_is_found() => IsFound(() => new DiscountLimitNotRead(), "I2");

    [Fact]
    public Task An_erasure_that_is_forgotten_is_found() => IsFound(() => new ErasureForgotten(), "I1");

    [Fact]
    public Task A_restored_service_that_works_before_it_is_healed_is_found() =>
        IsFoundByRestores(() => new FenceIgnored(), "I1", "I2", "I3", "I4");

    [Fact]
    public Task A_lost_payment_requested_under_another_key_is_found() =>
        IsFoundByRestores(() => new LostPaymentRequestedUnderAnotherKey(), "I2");

    [Fact]
    public Task A_lost_charge_that_is_not_taken_over_is_found() =>
        IsFoundByRestores(() => new LostChargeNotTakenOver(), "I2", "I3");

    [Fact]
    public Task A_lost_shipment_that_is_forgotten_is_found() => IsFoundByRestores(() => new ShipmentsForgotten(), "I4", "I7");

    [Fact]
    public Task Goods_of_a_confirmed_order_released_by_a_repair_are_found() =>
        IsFoundByRestores(() => new GoodsReleased(), "I4");

    [Fact]
    public Task An_order_skipped_by_the_repair_is_found() => IsFoundByRestores(() => new OrdersSkipped(), "I1", "I2", "I4");

    [Fact]
    public Task A_new_key_for_each_call_of_an_outside_step_is_found() =>
        IsFoundOutside(() => new NewKeyForEachCall(), "I4");

    [Fact]
    public Task An_undo_of_an_outside_step_that_is_skipped_is_found() => IsFoundOutside(() => new OutsideUndoSkipped(), "I4");

    Task IsFoundOutside(Func<PlantedBug> createBug, params string[] breaks) =>
        IsFound(createBug, restores: false, breaks, SeedTests.ProcessOfOthers);

    Task IsFoundByRestores(Func<PlantedBug> createBug, params string[] breaks) => IsFound(createBug, restores: true, breaks);

    Task IsFound(Func<PlantedBug> createBug, params string[] breaks) => IsFound(createBug, restores: false, breaks);

    async Task IsFound(Func<PlantedBug> createBug, bool restores, string[] breaks, string? process = null)
    {
        bool Breaks(Outcome outcome) => outcome.Findings.Any(finding => breaks.Contains(finding.Invariant));
        var tally = await Sweep.RunAsync(1, Seeds, createBug, isEnough: Breaks, restores: restores, process: process);

        // A seed failing without the bug has another cause and proves nothing.
        using var arena = Arena.Open();
        Assert.All(
            tally.Failed.Keys,
            seed => Assert.Empty(new World(Plan.Of(seed, restores), arena, process: process).Run().Findings));

        Assert.Contains(tally.Failed.Values, Breaks);
        var outcome = tally.Failed.Values.First(Breaks);
        var found = outcome.Findings.First(finding => breaks.Contains(finding.Invariant));
        output.WriteLine($"found after {tally.Runs} seeds: {found}");
    }
}
