using BenchmarkDotNet.Attributes;
using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.Micro;

/// <summary>All decisions of a successful order: the start and three replies.</summary>
[MemoryDiagnoser]
public class SagaCore
{
    readonly SagaEvent[] happyPath =
    [
        new SagaEvent.Started(),
        new SagaEvent.Answered(StepNames.ReserveStock, false, new StepReply.Completed()),
        new SagaEvent.Answered(StepNames.AuthorizePayment, false, new StepReply.Completed(OrderSaga.Captured)),
        new SagaEvent.Answered(StepNames.CommitStock, false, new StepReply.Completed()),
    ];

    [GlobalSetup]
    public void Check()
    {
        if (DecideAnOrder().Status != SagaStatus.Completed)
            throw new InvalidOperationException("The order did not complete: this would measure something else.");
    }

    [Benchmark]
    public SagaState DecideAnOrder()
    {
        var state = SagaState.New(OrderSaga.BuiltIn.Definition, seed: 7);
        foreach (var happened in happyPath)
            state = Saga.Decide(state, happened, Orders.Now).State;
        return state;
    }
}
