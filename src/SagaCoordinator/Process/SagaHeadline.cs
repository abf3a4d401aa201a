using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Essentials of a saga, stored as columns for lists and searches: current step, awaited party and cause.</summary>
/// <param name="Step">The current step, or the step that caused the compensation; null once all is done.</param>
/// <param name="WaitingFor">A service, the customer, or an operator; null once the saga has ended.</param>
/// <param name="Code">Code of the incident, the doubt or the refusal; null for none.</param>
public sealed record SagaHeadline(string? Step, string? WaitingFor, string? Code)
{
    public const string Operator = "operator";

    public static SagaHeadline Of(SagaState state)
    {
        if (MostUrgent(state) is not var (step, _, leg))
            return new(state.Reason?.Step, null, state.Reason?.Code);
        var definition = state.Definition.Find(step)!;
        var party = leg.Phase switch
        {
            LegPhase.Stuck => Operator,
            LegPhase.Waiting => definition.ActionBy ?? definition.Participant,
            _ => definition.Participant,
        };
        return new(step, party, leg.Code ?? state.Reason?.Code);
    }

    /// <summary>The outstanding leg that needs attention first; null if nothing is outstanding.</summary>
    public static (string Step, bool Undo, Leg Leg)? MostUrgent(SagaState state)
    {
        (string, bool, Leg)? first = null;
        var highest = -1;
        foreach (var (step, undo, leg) in state.Outstanding)
        {
            var urgency = leg.Phase switch
            {
                LegPhase.Stuck => 3,
                LegPhase.Waiting => 2,
                LegPhase.InDoubt => 1,
                _ => 0,
            };
            if (urgency <= highest) continue;
            highest = urgency;
            first = (step.Step, undo, leg);
        }
        return first;
    }
}
