//! A message of any type on its way to one type of actor: a slot of 64 bytes.
//!
//! # Safety
//!
//! An [`Envelope`] is a pointer to a static table of functions and 48 bytes of storage. The table is made for exactly
//! one pair of actor and message type, and [`Envelope::new`] is the only place that combines a table with storage, so
//! the storage always holds what the table's functions expect: a `Letter<M>` in place when it fits, else a pointer to a
//! boxed one. The content is read out (`ptr::read`) at most once: by `open`, which leaves the table of
//! nothing behind, by `reopen`, which consumes the envelope without running its destructor, or by the destructor. Everything in a letter is `Send`, which makes the envelope `Send`; the
//! compiler derives that, as the storage is plain memory and the table holds functions only.
#![allow(unsafe_code)]

use std::any::{Any, TypeId};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use crate::actor::{Actor, Handler};
use crate::cell::Tally;
use crate::clock::Nanos;
use crate::context::Context;
use crate::error::AskFailure;
use crate::fault::{Fault, catch, drop_quietly};
use crate::message::{Message, MessageId};
use crate::reply::{Answer, Reply, reply};
use crate::scope::Baggage;
use crate::turn::{Ending, Failure, Held, Rest, Salvage, Turn};

const WORDS: usize = 6;

/// A message with its way back and what else travels along.
///
/// The order of the fields is that in memory: it is copied 16 bytes at a time right after it has been written, and a piece
/// that was written in two has to wait for both. The two options are written together, as there is mostly neither.
#[repr(C)]
pub(crate) struct Letter<M: Message> {
    pub(crate) reply: Option<Reply<M::Reply>>,
    pub(crate) header: Option<Box<Header>>,
    pub(crate) message: M,
}

// A slot is plain memory to the compiler, which lets it go to other threads whatever it holds. That a letter may go with
// it, and whatever message is in it, is asserted here.
const _: fn() = || {
    fn _of_any_message<M: Message>(letter: Letter<M>) -> impl Send {
        letter
    }
};

/// What few messages carry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    /// Attempts that have been made.
    pub(crate) attempts: u32,
    /// Attempts of its asker before this one, each of which was a message of its own.
    pub(crate) asked_before: u32,
    /// The same for all attempts of its asker.
    pub(crate) message_id: Option<MessageId>,
    /// The request that it belongs to, where it is not one of its own.
    pub(crate) correlation_id: Option<MessageId>,
    pub(crate) baggage: Option<Baggage>,
    pub(crate) idempotency_key: Option<Arc<str>>,
    /// Handed out by the gate to a probe; given back when it is dropped before it runs.
    pub(crate) probe: Option<u32>,
    /// What it was in the quarantine, from where it was put back.
    pub(crate) redelivered_from: Option<MessageId>,
    /// Somebody waits for the end of the turn without a deadline; what is over at `expires` is the time to live.
    pub(crate) lends_no_deadline: bool,
}

/// The slot. See the head of this module.
#[repr(C)]
pub(crate) struct Envelope<A: Actor> {
    table: &'static Table<A>,
    /// When its time to live or its asker's patience is over; 0 for never.
    pub(crate) expires: Nanos,
    storage: [MaybeUninit<u64>; WORDS],
}

/// Begins the turn of the letter in a slot.
type OpenLetter<A> = unsafe fn(*mut u64, Nanos, &mut Turn<A>, &mut Task<'_>) -> Poll<Ending<A>>;

struct Table<A: Actor> {
    open: OpenLetter<A>,
    drop: unsafe fn(*mut u64),
    take_asker: unsafe fn(*mut u64) -> Option<TellAsker>,
    header: unsafe fn(*mut u64) -> *mut Option<Box<Header>>,
    asks: unsafe fn(*mut u64) -> Option<bool>,
    message: fn() -> &'static str,
    content: unsafe fn(*mut u64) -> *const dyn Any,
    type_id: fn() -> TypeId,
    is_kept: bool,
}

/// The way to tell an asker why there will be no answer.
pub(crate) type TellAsker = Box<dyn FnOnce(AskFailure)>;

/// Whether and where an envelope's asker waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    None,
    Waiting,
    Gone,
}

impl<A: Actor> Envelope<A> {
    #[inline(always)]
    pub(crate) fn new<M: Message>(letter: Letter<M>, expires: Nanos) -> Self
    where
        A: Handler<M>,
    {
        let mut storage = [MaybeUninit::uninit(); WORDS];
        let slot = storage.as_mut_ptr();
        // SAFETY: the storage is writable and, when the letter fits, large and aligned enough for it; otherwise it
        // takes a pointer, which always fits. `&TABLE` below is the table for this very type.
        unsafe {
            if fits::<M>() {
                slot.cast::<Letter<M>>().write(letter);
            } else {
                slot.cast::<*mut Letter<M>>().write(Box::into_raw(Box::new(letter)));
            }
        }
        Self { table: &TableOf::<A, M>::TABLE, expires, storage }
    }

    /// Begins the turn of this message, which leaves the envelope empty: it is opened where it lies, as moving it out
    /// of its variable would copy all of it.
    #[inline(always)]
    pub(crate) fn open(&mut self, turn: &mut Turn<A>, task: &mut Task<'_>) -> Poll<Ending<A>> {
        let table = std::mem::replace(&mut self.table, &Nothing::<A>::TABLE);
        // SAFETY: the storage held a letter of the replaced table's type, which `open` reads once; the table of nothing
        // reads no letter, so neither the destructor nor a second call reads it again.
        unsafe { (table.open)(self.storage.as_mut_ptr().cast(), self.expires, turn, task) }
    }

    /// Takes the message out and leaves the envelope empty.
    pub(crate) fn take(&mut self) -> Self {
        let nothing = Self { table: &Nothing::<A>::TABLE, expires: 0, storage: [MaybeUninit::uninit(); WORDS] };
        std::mem::replace(self, nothing)
    }

    /// Gives the letter back if it is of this type: a push that failed returns the message to its sender.
    pub(crate) fn reopen<M: Message>(self) -> Option<Letter<M>> {
        if (self.table.type_id)() != TypeId::of::<M>() {
            return None;
        }
        let mut this = ManuallyDrop::new(self);
        // SAFETY: equal type ids mean that the storage holds a `Letter<M>`; it is read once, as above.
        Some(unsafe { take::<M>(this.storage.as_mut_ptr().cast()) })
    }

    /// The type of the message.
    pub(crate) fn message(&self) -> &'static str {
        (self.table.message)()
    }

    /// What observers are shown of the message.
    pub(crate) fn content(&self) -> &dyn Any {
        // SAFETY: the storage holds a letter of the table's type, of which this makes a shared reference that borrows the
        // envelope; of nothing it is one to a constant.
        unsafe { &*(self.table.content)(self.storage.as_ptr().cast_mut().cast()) }
    }

    /// Whether somebody waits for the end of the turn, or has waited for it.
    pub(crate) fn is_awaited(&mut self) -> bool {
        self.asker() != Asker::None
    }

    /// Whether somebody waits for an answer.
    pub(crate) fn asker(&mut self) -> Asker {
        // SAFETY: the storage holds a letter of the table's type, which this only looks at.
        match unsafe { (self.table.asks)(self.storage.as_mut_ptr().cast()) } {
            None => Asker::None,
            Some(true) => Asker::Gone,
            Some(false) => Asker::Waiting,
        }
    }

    /// Tells the asker, if there is one, why there will be no answer.
    pub(crate) fn fail(&mut self, failure: AskFailure) {
        if let Some(tell) = self.take_asker() {
            tell(failure);
        }
    }

    /// Takes out the way to tell the asker, if there is one.
    pub(crate) fn take_asker(&mut self) -> Option<TellAsker> {
        // SAFETY: as above; the function takes the reply out of its `Option` and leaves the letter whole.
        unsafe { (self.table.take_asker)(self.storage.as_mut_ptr().cast()) }
    }

    /// What is left of a message whose turn fails before it begins.
    pub(crate) fn into_salvage(mut self) -> Salvage<A> {
        let message = Some(self.message());
        let attempts = self.header().as_ref().map_or(0, |header| header.attempts) + 1;
        if !self.table.is_kept {
            let asker = self.take_asker();
            drop_quietly(self);
            return Salvage { message, attempts, kept: None, asker };
        }
        self.header().get_or_insert_with(Box::default).attempts = attempts;
        Salvage { message, attempts, kept: Some(self), asker: None }
    }

    /// The same, to look at.
    pub(crate) fn peek(&self) -> Option<&Header> {
        // SAFETY: the function makes a pointer and no reference; the shared one made of it here borrows the envelope that
        // owns the letter. Of nothing the pointer is null.
        unsafe { (self.table.header)(self.storage.as_ptr().cast_mut().cast()).as_ref()?.as_deref() }
    }

    /// What few messages carry.
    pub(crate) fn header(&mut self) -> &mut Option<Box<Header>> {
        // SAFETY: as above; the reference borrows the envelope that owns the letter.
        unsafe {
            (self.table.header)(self.storage.as_mut_ptr().cast()).as_mut().expect("the envelope has not been opened")
        }
    }
}

impl<A: Actor> Drop for Envelope<A> {
    fn drop(&mut self) {
        // SAFETY: the storage still holds its letter, or nothing: see `open`.
        unsafe { (self.table.drop)(self.storage.as_mut_ptr().cast()) }
    }
}

impl<A: Actor> std::fmt::Debug for Envelope<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope")
            .field("message", &self.message())
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

struct TableOf<A, M>(std::marker::PhantomData<(A, M)>);

impl<A: Handler<M>, M: Message> TableOf<A, M> {
    const TABLE: Table<A> = Table {
        open: open::<A, M>,
        drop: drop_letter::<M>,
        take_asker: take_asker::<M>,
        header: header::<M>,
        asks: asks::<M>,
        message: std::any::type_name::<M>,
        content: content::<M>,
        type_id: TypeId::of::<M>,
        is_kept: M::KEEP.is_some(),
    };
}

/// The table of an envelope that has been opened: there is nothing in it.
struct Nothing<A>(std::marker::PhantomData<A>);

impl<A: Actor> Nothing<A> {
    const TABLE: Table<A> = Table {
        open: |_, _, _, _| Poll::Ready(Ending::Expired),
        drop: |_| {},
        take_asker: |_| None,
        header: |_| std::ptr::null_mut(),
        asks: |_| None,
        message: || "nothing",
        content: |_| &() as *const dyn Any,
        type_id: TypeId::of::<()>,
        is_kept: false,
    };
}

const fn fits<M: Message>() -> bool {
    size_of::<Letter<M>>() <= WORDS * 8 && align_of::<Letter<M>>() <= 8
}

/// # Safety
///
/// `slot` holds a `Letter<M>` as [`Envelope::new`] wrote it.
#[inline]
unsafe fn letter_at<M: Message>(slot: *mut u64) -> *mut Letter<M> {
    // SAFETY: by the contract the slot holds the letter or, when it does not fit, a pointer to it.
    if fits::<M>() { slot.cast() } else { unsafe { slot.cast::<*mut Letter<M>>().read() } }
}

/// # Safety
///
/// As for [`letter_at`], and the letter is not used again afterwards.
#[inline]
unsafe fn take<M: Message>(slot: *mut u64) -> Letter<M> {
    // SAFETY: by the contract this is the only read; a boxed letter was made by `Box::into_raw`.
    unsafe {
        let letter = letter_at::<M>(slot);
        if fits::<M>() { letter.read() } else { *Box::from_raw(letter) }
    }
}

unsafe fn drop_letter<M: Message>(slot: *mut u64) {
    // SAFETY: passed on from the caller.
    drop(unsafe { take::<M>(slot) });
}

unsafe fn take_asker<M: Message>(slot: *mut u64) -> Option<TellAsker> {
    // SAFETY: passed on from the caller.
    let letter = unsafe { &mut *letter_at::<M>(slot) };
    let reply = letter.reply.take()?;
    Some(Box::new(move |failure| reply.fail(failure)))
}

unsafe fn header<M: Message>(slot: *mut u64) -> *mut Option<Box<Header>> {
    // SAFETY: passed on from the caller.
    unsafe { &raw mut (*letter_at::<M>(slot)).header }
}

unsafe fn content<M: Message>(slot: *mut u64) -> *const dyn Any {
    // SAFETY: passed on from the caller.
    let message = unsafe { &(*letter_at::<M>(slot)).message };
    match M::CONTENT {
        Some(content) => content(message),
        None => message,
    }
}

unsafe fn asks<M: Message>(slot: *mut u64) -> Option<bool> {
    // SAFETY: passed on from the caller.
    let letter = unsafe { &*letter_at::<M>(slot) };
    letter.reply.as_ref().map(Reply::is_abandoned)
}

/// Begins the turn: a handler that never waits is called and done; the future of one that may wait is built in the
/// turn's buffer and polled there.
///
/// # Safety
///
/// As for [`take`].
#[inline]
unsafe fn open<A: Handler<M>, M: Message>(
    slot: *mut u64,
    expires: Nanos,
    turn: &mut Turn<A>,
    task: &mut Task<'_>,
) -> Poll<Ending<A>> {
    // SAFETY: passed on from the caller.
    let Letter { mut message, reply, header } = unsafe { take::<M>(slot) };
    let context = turn.context();
    let lends = reply.is_some() && header.as_ref().is_none_or(|header| !header.lends_no_deadline);
    context.begin_turn(lends, expires, header.as_deref());
    if reply.as_ref().is_some_and(|reply| context.is_abandoned(reply, expires)) {
        drop_quietly((message, header));
        return Poll::Ready(Ending::Abandoned);
    }
    let mut open = Open { reply, header, expires, copy: None };
    if let Some(copy) = M::KEEP {
        match catch(|| copy(&mut message)) {
            Ok(copy) => open.copy = Some(copy),
            Err(fault) => {
                drop_quietly(message);
                return Poll::Ready(open.failed(fault));
            }
        }
    }
    match turn.now(|actor, context| actor.handle_now(message, context)) {
        Ok(Ok(result)) => Poll::Ready(open.settle(Ok(result), turn.context())),
        // SAFETY: the handler's future is the only one to hold the two references, as `handle` is generic over their
        // lifetime and so cannot store them anywhere else.
        Ok(Err(message)) => unsafe {
            let polled = turn.begin(task, |actor, context| actor.handle(message, context), open, |open| open);
            polled.map(|(result, open)| open.settle(result, turn.context()))
        },
        Err(fault) => Poll::Ready(open.failed(fault)),
    }
}

/// How a turn went that its asker began.
pub(crate) enum Asked<A: Actor, R> {
    /// It is over, and this is the answer.
    Answered(R),
    /// The answer, or the reason why there is none, comes by this way; the turn has ended or waits.
    Told(Answer<R>, Poll<Ending<A>>),
}

/// Begins the turn of a message that goes straight from its asker to the handler, in no slot and with no way back until
/// one is needed. Its asker is there and its time is not over; it is not kept.
#[inline]
pub(crate) fn ask<A: Handler<M>, M: Message>(
    message: M,
    header: Option<Box<Header>>,
    expires: Nanos,
    turn: &mut Turn<A>,
    task: &mut Task<'_>,
) -> Asked<A, M::Reply> {
    turn.context().begin_turn(true, expires, header.as_deref());
    let mut told = None;
    let state = (header, &mut told);
    let (result, (header, _)) = match turn.now(|actor, context| actor.handle_now(message, context)) {
        Ok(Ok(result)) => (Ok(result), state),
        // SAFETY: as in `open`.
        Ok(Err(message)) => match unsafe {
            turn.begin(
                task,
                |actor, context| actor.handle(message, context),
                state,
                |(header, told)| Open::asked(header, expires, told),
            )
        } {
            Poll::Ready(ended) => ended,
            Poll::Pending => return Asked::Told(told.expect("it was made when the turn had to wait"), Poll::Pending),
        },
        Err(fault) => (Err(fault), state),
    };
    let context = turn.context();
    match result {
        Ok(Ok(answer)) if !context.holds_commit() => {
            context.tally().count_handled();
            if let Some(header) = header {
                drop_quietly(header);
            }
            Asked::Answered(answer)
        }
        result => {
            let ending = Open::<M>::asked(header, expires, &mut told).settle(result, context);
            Asked::Told(told.expect("it was made just now"), Poll::Ready(ending))
        }
    }
}

/// What is left of a letter while its turn runs.
struct Open<M: Message> {
    reply: Option<Reply<M::Reply>>,
    header: Option<Box<Header>>,
    expires: Nanos,
    /// The message as it was when the turn started, if it is kept.
    copy: Option<M>,
}

impl<A: Handler<M>, M: Message> Rest<A, Result<M::Reply, Fault>> for Open<M> {
    #[inline(always)]
    fn settle(self, result: Result<Result<M::Reply, Fault>, Fault>, context: &mut Context<A>) -> Ending<A> {
        match result {
            Ok(Ok(_)) if context.is_fenced() => Ending::Fenced(std::any::type_name::<M>()),
            Ok(Ok(answer)) if context.holds_commit() => self.hold(answer, context),
            Ok(Ok(answer)) => {
                self.answer(answer, context.tally());
                Ending::Done
            }
            Ok(Err(fault)) | Err(fault) => self.failed(fault),
        }
    }

    /// The kept message with its way back, or else the way back alone.
    fn salvage(self) -> Salvage<A> {
        let Self { reply, header, expires, copy } = self;
        let attempts = header.as_ref().map_or(0, |header| header.attempts) + 1;
        let message = Some(std::any::type_name::<M>());
        let Some(copy) = copy else {
            let asker = reply.map(|reply| Box::new(move |failure| reply.fail(failure)) as Box<dyn FnOnce(AskFailure)>);
            return Salvage { message, attempts, kept: None, asker };
        };
        let mut header = header.unwrap_or_default();
        header.attempts = attempts;
        let letter = Letter { message: copy, reply, header: Some(header) };
        Salvage { message, attempts, kept: Some(Envelope::new(letter, expires)), asker: None }
    }
}

impl<M: Message> Open<M> {
    /// What is left of a message that had no letter; its way back is made now.
    fn asked(header: Option<Box<Header>>, expires: Nanos, told: &mut Option<Answer<M::Reply>>) -> Self {
        let (reply, answer) = reply();
        *told = Some(answer);
        Self { reply: Some(reply), header, expires, copy: None }
    }

    /// Counted before it is sent, so that whoever has the answer finds the message counted.
    #[inline(always)]
    fn answer(self, answer: M::Reply, tally: &Tally) {
        tally.count_handled();
        let Self { reply, header, copy, .. } = self;
        let in_time = match reply {
            Some(reply) => reply.send(answer),
            None => {
                if std::mem::needs_drop::<M::Reply>() {
                    drop_quietly(answer);
                }
                true
            }
        };
        if !in_time {
            Tally::add(&tally.losses().late_replies, 1);
        }
        if header.is_some() || copy.is_some() {
            drop_quietly((header, copy));
        }
    }

    /// The reply waits for the commit, and goes the way of a failed turn if that fails.
    #[cold]
    fn hold<A: Handler<M>>(self, answer: M::Reply, context: &mut Context<A>) -> Ending<A> {
        let cell = context.cell();
        let finish = move |committed: Result<(), Fault>| match committed {
            Ok(()) => {
                self.answer(answer, &cell.core.tally);
                Ending::Done
            }
            Err(fault) => {
                drop_quietly(answer);
                self.failed(fault)
            }
        };
        Ending::Held(Box::new(Held { commit: context.take_commit(), finish: Box::new(finish) }))
    }

    #[cold]
    fn failed<A: Handler<M>>(self, fault: Fault) -> Ending<A> {
        Ending::Failed(Box::new(Failure { fault, salvage: self.salvage() }))
    }
}
