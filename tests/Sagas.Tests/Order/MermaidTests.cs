using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Sagas.Tests.Order;

public sealed class MermaidTests
{
    const string CommitStock = "commit-stock<br/><i>stock-service</i><br/>forward only";

    const string CapturePayment =
        "capture-payment<br/><i>customer-service</i><br/>forward only<br/>skipped when authorize-payment reports captured";

    [Fact]
    public void The_order_process_is_drawn_with_its_way_back() => Assert.Equal(
        $$$"""
        flowchart LR
          %% order-process version 1
          started([order placed])
          reserve_stock["reserve-stock<br/><i>stock-service</i>"]
          undo_reserve_stock("release-stock<br/><i>stock-service</i>")
          authorize_payment{{"authorize-payment<br/><i>customer-service</i><br/>pivot"}}
          undo_authorize_payment("undo-payment<br/><i>customer-service</i>")
          commit_stock["{{{CommitStock}}}"]
          undo_commit_stock("release-stock<br/><i>stock-service</i>")
          capture_payment["{{{CapturePayment}}}"]
          completed([completed])
          undone([rejected, expired or cancelled])
          started --> reserve_stock
          reserve_stock --> authorize_payment
          authorize_payment ==>|confirmed| commit_stock
          authorize_payment ==>|confirmed| capture_payment
          commit_stock --> completed
          capture_payment --> completed
          reserve_stock -. refused .-> undone
          reserve_stock -. no answer .-> undo_reserve_stock
          undo_reserve_stock --> undone
          authorize_payment -. refused .-> undo_reserve_stock
          authorize_payment -. no answer .-> undo_authorize_payment
          undo_authorize_payment --> undo_reserve_stock
          undo_commit_stock --> undo_authorize_payment
          completed -. cancelled .-> undo_commit_stock
          classDef undo stroke-dasharray: 4 4
          class undo_reserve_stock,undo_authorize_payment,undo_commit_stock undo

        """,
        Mermaid.Of(OrderSaga.BuiltIn.Definition));
}
