using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// A saga in three words, for lists and searches: where it stands, whom it waits for, and why.
/// </summary>
/// <param name="Step">The step that it is at, or at which it turned back; null when all is done.</param>
/// <param name="WaitingFor">A service, the customer, or an operator; null when it has ended.</param>
/// <param name="Code">Of the incident, the doubt or the refusal; null when all is well.</param>
public sealed record Headline(string? Step, string? WaitingFor, string? Code)
{
    public const string Operator = "operator";

    public static Headline Of(SagaState state)
    {
        if (TheOneThatMatters(state) is not var (step, _, leg))
            return new(state.Reason?.Step, null, state.Reason?.Code);
        var how = OrderSaga.Version(state.DefinitionVersion).Find(step)!;
        var party = leg.Phase switch
        {
            LegPhase.Stuck => Operator,
            LegPhase.Waiting => how.ActionBy ?? how.Participant,
            _ => how.Participant,
        };
        return new(step, party, leg.Code ?? state.Reason?.Code);
    }

    /// <summary>Of what is outstanding, what a person would ask about first; null when nothing is.</summary>
    public static (string Step, bool Undo, Leg Leg)? TheOneThatMatters(SagaState state)
    {
        (string, bool, Leg)? first = null;
        var urgency = -1;
        foreach (var (step, undo, leg) in state.Outstanding)
        {
            var its = leg.Phase switch
            {
                LegPhase.Stuck => 3,
                LegPhase.Waiting => 2,
                LegPhase.InDoubt => 1,
                _ => 0,
            };
            if (its <= urgency) continue;
            urgency = its;
            first = (step.Step, undo, leg);
        }
        return first;
    }
}
